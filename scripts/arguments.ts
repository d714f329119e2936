import { parseArgs } from "node:util";

/** `--name value` options of a script; ends the process with the usage when one is missing. */
export function readOptions<K extends string>(usage: string, names: readonly K[], optional: readonly string[] = []): Record<K, string> & Record<string, string | undefined> {
  const options = Object.fromEntries([...names, ...optional].map((name) => [name, { type: "string" as const }]));
  try {
    const { values } = parseArgs({ options, allowPositionals: false });
    const missing = names.filter((name) => typeof values[name] !== "string" || values[name] === "");
    if (missing.length === 0) return values as Record<K, string> & Record<string, string | undefined>;
    console.error(`Missing: ${missing.map((name) => `--${name}`).join(", ")}\n${usage}`);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
  process.exit(2);
}

/** A secret typed at a prompt without echo, or piped in. */
export async function readSecret(prompt: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const { Writable } = await import("node:stream");
  const isTerminal = process.stdin.isTTY === true;
  if (isTerminal) process.stderr.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: isTerminal });
  const line = await new Promise<string>((resolve) => {
    reader.once("line", resolve);
    reader.once("close", () => resolve(""));
  });
  reader.close();
  if (isTerminal) process.stderr.write("\n");
  return line;
}
