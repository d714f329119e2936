import { appendFileSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * A snapshot and the records after it. A record is in the kernel's hands before its request is answered, so a
 * killed process loses nothing that it acknowledged. Snapshot and log change together: the snapshot names its
 * log, and replacing the snapshot is one rename.
 */
export class DurableLog {
  private descriptor: number | undefined;
  private generation = 0;
  private bytesWritten = 0;

  private constructor(private readonly directory: string) {}

  static open(directory: string): { log: DurableLog; snapshot: unknown; records: unknown[] } {
    mkdirSync(directory, { recursive: true });
    const log = new DurableLog(directory);
    if (!existsSync(log.snapshotFile)) return { log, snapshot: undefined, records: [] };
    const stored: unknown = JSON.parse(readFileSync(log.snapshotFile, "utf8"));
    if (typeof stored !== "object" || stored === null || !("generation" in stored) || !("state" in stored)) {
      throw new Error(`${log.snapshotFile} is not a simulator state`);
    }
    log.generation = Number(stored.generation);
    return { log, snapshot: stored.state, records: log.readRecords() };
  }

  private get snapshotFile(): string {
    return path.join(this.directory, "state.json");
  }

  private logFile(generation: number): string {
    return path.join(this.directory, `changes-${generation}.jsonl`);
  }

  private readRecords(): unknown[] {
    const file = this.logFile(this.generation);
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").split("\n");
    // A last line without its newline was never acknowledged.
    lines.pop();
    return lines.map((line): unknown => JSON.parse(line));
  }

  get size(): number {
    return this.bytesWritten;
  }

  append(record: unknown): void {
    if (this.descriptor === undefined) throw new Error("The log is not open for writing");
    const line = `${JSON.stringify(record)}\n`;
    appendFileSync(this.descriptor, line);
    this.bytesWritten += line.length;
  }

  /** Replaces snapshot and log by this state. */
  compact(state: unknown): void {
    const previous = this.generation;
    const next = previous + 1;
    const descriptor = openSync(this.logFile(next), "w", 0o600);
    const temporary = `${this.snapshotFile}.tmp`;
    writeFileSync(temporary, JSON.stringify({ generation: next, state }), { mode: 0o600 });
    const written = openSync(temporary, "r");
    fsyncSync(written);
    closeSync(written);
    renameSync(temporary, this.snapshotFile);
    this.close();
    this.descriptor = descriptor;
    this.generation = next;
    this.bytesWritten = 0;
    rmSync(this.logFile(previous), { force: true });
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}
