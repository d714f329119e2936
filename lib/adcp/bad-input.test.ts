import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, callMcp, callRest, type DoorAnswer } from "@/test/fixtures/door";
import { type Field, fieldsOf, type Samples, sampleOfField, withField } from "@/test/fixtures/schema-fields";
import { type Buyer, createBigPublisher, furnishBuyer } from "@/test/fixtures/tool-inputs";
import { fieldName, type Path, pathsOf, valueAt, withValue } from "@/test/fixtures/value-paths";
import { TOOLS } from "./registry";
import { type Tool } from "./tool";
import { toolValidator } from "./tool-schemas";

/**
 * Every tool, every field that its sample input names and every field that its schema requires at any depth, with what does not belong
 * there, over REST and MCP. Made from the registry and the schemas: a new tool or field is covered at once.
 */
const database = useTestDatabase();
let buyer: Buyer;
let admin: postgres.Sql;
beforeAll(async () => {
  process.env.BUYER_WRITES_PER_SECOND = "1000000";
  const publisher = await createBigPublisher();
  buyer = await furnishBuyer(publisher, "bad");
  admin = postgres(database.adminUrl, { max: 1, onnotice: () => undefined });
});
afterAll(() => admin.end());

/** What calls leave behind whatever they say: the list of calls, what limits count, and what an accepted read offers for a while. */
const LEFT_BY_EVERY_CALL = ["buyer_calls", "rate_buckets", "principal_tokens", "proposals", "creative_previews"];

/** A digest of everything stored. */
async function fingerprint(): Promise<unknown> {
  const tables = await admin<{ name: string }[]>`select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`;
  const parts = tables.filter(({ name }) => !LEFT_BY_EVERY_CALL.includes(name)).map(({ name }) => `select '${name}' as name, count(*) as rows, coalesce(sum(hashtext(t::text)::bigint), 0) as sum from "${name}" t`);
  const found = await admin.unsafe(parts.join(" union all "));
  return Object.fromEntries(found.map(({ name, rows, sum }) => [name, `${rows} rows, sum ${sum}`]));
}

/** What the schema lets go on without it is not required. */
const isRequired = (tool: Tool, without: Record<string, unknown>) => !toolValidator(tool, "request")({ ...tool.defaults, ...without });

type Case = { what: string; path: Path; input: Record<string, unknown> };

function badInputs(tool: Tool, kind: Kind): Case[] {
  const sampled = pathsOf(buyer.inputOf(tool.name)).map((path) => ({ path, input: buyer.inputOf(tool.name) }));
  const known = new Set(sampled.map(({ path }) => fieldName(path)));
  const required = fieldsOf(tool).filter((field) => field.isRequired && !known.has(fieldName(field.path))).map((field) => ({ path: field.path, input: fitting(tool, field) }));
  return [...sampled, ...required]
    .flatMap(({ path, input }): Case[] => changed(kind, valueAt(input, path), path).map((next) => ({ what: `${kind} ${fieldName(path)}`, path, input: asObject(withValue(input, path, next)) })))
    .filter((bad) => kind !== "missing" || isRequired(tool, bad.input));
}

/** What the rules behind the schema take, for parts of a request that are made up around a field. */
const SAMPLES: Samples = { account: { brand: { domain: "acmeoutdoor.example" } }, accounts: { brand: { domain: "acmeoutdoor.example" }, billing: "operator" }, frequency_cap: { max_impressions: 3, per: "devices", window: { interval: 1, unit: "days" } } };

/** A request that fits the tool's schema and has this field. */
function fitting(tool: Tool, field: Field): Record<string, unknown> {
  const input = withField(tool, buyer.inputOf(tool.name), field, sampleOfField(field), SAMPLES);
  if (!input) throw new Error(`${tool.name}: no request that fits the schema has ${fieldName(field.path)}: say in SAMPLES what goes around it.`);
  return input;
}

const KINDS = ["missing", "of another type", "too long", "with control characters", "with HTML"] as const;
type Kind = (typeof KINDS)[number];

function changed(kind: Kind, value: unknown, path: Path): unknown[] {
  const isText = typeof value === "string";
  switch (kind) {
    case "missing": return typeof path.at(-1) === "number" ? [] : [undefined];
    case "of another type": return [isText || typeof value === "number" ? { not: "this" } : 7];
    case "too long": return isText ? [value + "x".repeat(100_000)] : [];
    case "with control characters": return isText ? [`${value}\u0007\u001b[2J`] : [];
    // A secret may be anything.
    case "with HTML": return isText && path.at(-1) !== "credentials" ? [`${value}<img src=x onerror=alert(1)>`] : [];
  }
}

function problemOf(kind: Kind, { what, path }: Case, { isError, body }: DoorAnswer): string | null {
  if (body.success === false && String(body.error_detail).includes(fieldName(path))) return null;
  if (!isError) return `${what}: accepted`;
  const error = asObject(body.adcp_error);
  if (error.code === "INTERNAL_ERROR" || typeof error.code !== "string") return `${what}: ${JSON.stringify(error)}`;
  const fields = [String(error.field ?? ""), ...(Array.isArray(error.issues) ? asList(error.issues).map(({ pointer }) => fieldOf(String(pointer))) : [])];
  // Where several forms are allowed, the one that is nearly right may be named: what stands beside the field, or in it.
  const around = fieldName(path.slice(0, -1));
  // And what is not done here, or not along with the rest, is refused whole, whatever it holds.
  const isNotDone = (kind === "with HTML" || error.code === "UNSUPPORTED_FEATURE") && fields.some((field) => field !== "" && fieldName(path).startsWith(field));
  return isNotDone || fields.some((field) => field === fieldName(path) || field.startsWith(fieldName(path)) || (around !== "" && field.startsWith(around))) ? null : `${what}: ${JSON.stringify(error).slice(0, 400)}`;
}

const fieldOf = (pointer: string) => fieldName(pointer.split("/").slice(1).map((part) => (/^\d+$/.test(part) ? Number(part) : part)));

/** A read may look for anything. */
const mayBeAccepted = (tool: Tool, kind: Kind) => kind === "with HTML" && tool.annotations.readOnlyHint;

describe.each(TOOLS.map((tool) => [tool.name, tool] as const))("%s", (_name, tool) => {
  test.each(KINDS)("a field %s is refused by name, and nothing is stored", async (kind) => {
    const before = await fingerprint();
    const problems = [];
    for (const bad of badInputs(tool, kind)) {
      for (const [door, call] of [["REST", callRest], ["MCP", callMcp]] as const) {
        const answer = await call(tool.name, bad.input, { token: buyer.token });
        const problem = !answer.isError && mayBeAccepted(tool, kind) ? null : problemOf(kind, bad, answer);
        if (problem) problems.push(`${door}: ${problem}`);
      }
    }
    expect(problems).toEqual([]);
    expect(await fingerprint()).toEqual(before);
  });
});
