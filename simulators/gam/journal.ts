import type { FaultKind } from "./fault-spec";
import type { Json } from "./json";

const CAPACITY = 20_000;

export type Outcome = "answered" | "droppedBeforeCommit" | "droppedAfterCommit" | "neverAnswered" | "garbage";

export interface JournalEntry {
  id: number;
  at: string;
  method: string;
  path: string;
  query: string;
  network: string | undefined;
  serviceAccount: string | undefined;
  correlationId: string;
  body: Json | undefined;
  /** HTTP status that was sent or, when the reply was lost, would have been. */
  status: number;
  outcome: Outcome;
  /** Whether rows changed. */
  committed: boolean;
  /** Names of the rows that the request created. */
  created: string[];
  faults: { id: string; kind: FaultKind }[];
  durationMs: number;
}

export interface JournalQuery {
  since: number;
  method: string | undefined;
  path: RegExp | undefined;
}

/** The last requests in order of completion. In memory: it starts empty with the process. */
export class Journal {
  private entries: JournalEntry[] = [];
  private lastId = 0;

  add(entry: Omit<JournalEntry, "id">): void {
    this.entries.push({ id: ++this.lastId, ...entry });
    if (this.entries.length >= 2 * CAPACITY) this.entries = this.entries.slice(-CAPACITY);
  }

  find(query: JournalQuery): JournalEntry[] {
    return this.entries.filter((entry) =>
      entry.id > query.since
      && (query.method === undefined || entry.method === query.method)
      && (query.path === undefined || query.path.test(entry.path)));
  }

  clear(): void {
    this.entries = [];
  }

  get lastEntryId(): number {
    return this.lastId;
  }
}
