import { type ErrorObject, type ValidateFunction } from "ajv";
import { AppError } from "../errors";
import { compactErrors, compileOwnSchema, compileSchema, embedReferences, isObject, type JsonSchema, loadSchema, schemaRef, type Thoroughness } from "./schemas";
import { type Tool } from "./tool";

/** Where the SDK keeps the schemas of our tools, without `-request` and `-response`. */
const SDK_SCHEMAS: Record<string, string> = {
  get_adcp_capabilities: "protocol/get-adcp-capabilities",
  get_products: "media-buy/get-products",
  list_creative_formats: "media-buy/list-creative-formats",
  create_media_buy: "media-buy/create-media-buy",
  update_media_buy: "media-buy/update-media-buy",
  get_media_buys: "media-buy/get-media-buys",
  get_media_buy_delivery: "media-buy/get-media-buy-delivery",
  get_creative_delivery: "creative/get-creative-delivery",
  provide_performance_feedback: "media-buy/provide-performance-feedback",
  sync_creatives: "creative/sync-creatives",
  list_creatives: "creative/list-creatives",
  preview_creative: "creative/preview-creative",
  sync_audiences: "media-buy/sync-audiences",
  sync_accounts: "account/sync-accounts",
  list_accounts: "account/list-accounts",
  sync_governance: "account/sync-governance",
  tasks_get: "core/tasks-get",
  tasks_list: "core/tasks-list",
};

export type Direction = "request" | "response";

export function toolSchema(tool: Tool, direction: Direction): JsonSchema {
  return tool.ownSchema ? tool.ownSchema[direction] : loadSchema(schemaName(tool, direction));
}

function schemaName(tool: Tool, direction: Direction): string {
  const name = SDK_SCHEMAS[tool.name];
  if (!name) throw new Error(`The tool ${tool.name} has no schema.`);
  return `${name}-${direction}`;
}

const DIALECT = "http://json-schema.org/draft-07/schema#";

/**
 * The request schema as tools/list publishes it: whole and self-contained. Shared parts lose their prose, without which the list of all
 * tools would not fit in a model's context.
 */
export function publishedInputSchema(tool: Tool): JsonSchema {
  const definitions = new Map<string, JsonSchema>();
  const schema = embedReferences(toolSchema(tool, "request"), "#", "#/$defs/", definitions, withoutProse);
  return { $schema: DIALECT, ...schema, ...(definitions.size > 0 ? { $defs: { ...(isObject(schema.$defs) ? schema.$defs : {}), ...Object.fromEntries(definitions) } } : {}) };
}

/** What an error looks like, for every tool: see errorPayload. */
export const ERROR_ANSWER: JsonSchema = {
  type: "object",
  required: ["status", "adcp_error", "errors"],
  properties: { status: { const: "failed" }, adcp_error: schemaRef("core/error"), errors: { type: "array", minItems: 1, items: schemaRef("core/error") }, context: schemaRef("core/context") },
};

/** The tool's answer or its error. Clients check both against it, and models read it: no prose. */
export function publishedOutputSchema(tool: Tool): JsonSchema {
  const definitions = new Map<string, JsonSchema>();
  const answers = [toolSchema(tool, "response"), ERROR_ANSWER].map((schema, index) => withoutProse(embedReferences(schema, `#/anyOf/${index}`, "#/$defs/", definitions, withoutProse)));
  return { $schema: DIALECT, type: "object", anyOf: answers, $defs: Object.fromEntries(definitions) };
}

/** Words that explain and do not constrain. */
const PROSE = new Set(["title", "description", "examples", "$comment", "enumDescriptions", "enumMetadata", "x-entity", "x-status", "x-accessibility"]);
/** Keywords whose members are named by the author: there, `description` may be a field. */
const NAMED = new Set(["properties", "patternProperties", "definitions", "$defs", "dependencies"]);

function withoutProse(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !PROSE.has(key)).map(([key, value]) => {
    if (NAMED.has(key) && isObject(value)) return [key, Object.fromEntries(Object.entries(value).map(([name, item]) => [name, trimmed(item)]))];
    return [key, Array.isArray(value) ? value.map(trimmed) : trimmed(value)];
  }));
}

function trimmed(value: unknown): unknown {
  return isObject(value) ? withoutProse(value) : value;
}

const validators = new Map<string, ValidateFunction>();

/** Compiles on first use; 0.1 µs a call afterwards. */
export function toolValidator(tool: Tool, direction: Direction, thoroughness: Thoroughness = "first"): ValidateFunction {
  const key = `${tool.name} ${direction} ${thoroughness}`;
  const known = validators.get(key);
  if (known) return known;
  const validator = tool.ownSchema ? compileOwnSchema(tool.ownSchema[direction], thoroughness) : compileSchema(schemaName(tool, direction), thoroughness);
  validators.set(key, validator);
  return validator;
}

/** One mistake in a request: core/error.json's `issues[]`. */
export type Issue = { pointer: string; message: string; keyword: string };

const ISSUES_MAX = 20;
const POINTER_LENGTH_MAX = 512;
/** Of larger requests only the first mistake is reported. */
const REPORTED_VALUES_MAX = 2_000;

/** Throws INVALID_REQUEST with every mistake (at most 20) when the input does not fit the tool's request schema. */
export function assertValidRequest(tool: Tool, input: Record<string, unknown>): void {
  const validate = toolValidator(tool, "request");
  if (validate(input)) return;
  const issues = compactErrors(findErrors(tool, input, validate)).slice(0, ISSUES_MAX).map(toIssue);
  const [first] = issues;
  const field = first && fieldOf(first.pointer);
  throw new AppError("INVALID_REQUEST", `The request does not fit the schema of ${tool.name}: ${field || "the request"} ${first?.message ?? "is not valid"}.`, { ...(field ? { field } : {}), details: { issues } });
}

function findErrors(tool: Tool, input: Record<string, unknown>, failed: ValidateFunction): ErrorObject[] {
  if (countValues(input, REPORTED_VALUES_MAX) >= REPORTED_VALUES_MAX) return failed.errors ?? [];
  const validate = toolValidator(tool, "request", "all");
  validate(input);
  return validate.errors ?? [];
}

/** How many values there are below this one, counted up to `max`. */
function countValues(value: unknown, max: number): number {
  if (typeof value !== "object" || value === null) return 1;
  let count = 1;
  for (const item of Object.values(value)) {
    count += countValues(item, max - count);
    if (count >= max) break;
  }
  return count;
}

/** What is wrong with an answer of ours, or null. */
export function findResponseProblem(tool: Tool, payload: Record<string, unknown>): string | null {
  const validate = toolValidator(tool, "response");
  if (validate(payload)) return null;
  return compactErrors(validate.errors ?? []).map((error) => `${error.instancePath || "/"} ${error.message}`).join("; ");
}

function toIssue(error: ErrorObject): Issue {
  const missing = error.keyword === "required" && typeof error.params.missingProperty === "string" ? `/${error.params.missingProperty}` : "";
  return { pointer: `${error.instancePath}${missing}`.slice(0, POINTER_LENGTH_MAX), message: missing ? "is required" : (error.message ?? "is not valid"), keyword: error.keyword };
}

/** `/packages/0/budget` → `packages[0].budget`. */
function fieldOf(pointer: string): string {
  return pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : `${index > 0 ? "." : ""}${part}`)).join("");
}
