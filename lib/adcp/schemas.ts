import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";

/**
 * The protocol's own JSON schemas, as the SDK carries them. We compile them ourselves, from the tree in which shared parts are
 * referenced rather than inlined: the SDK's validator is not among its exports, takes 2 s and 100 MB for our tools (0.4 s and 30 MB
 * here), and names every branch of a union as wrong where this one names the mistake.
 */
export type JsonSchema = Record<string, unknown>;

/** `createRequire` from the project's root: bundlers leave it alone. */
const root = path.join(path.dirname(createRequire(path.join(process.cwd(), "package.json")).resolve("@adcp/sdk/package.json")), "dist/lib/schemas-data/3.0");

function readSchema(relativePath: string): JsonSchema {
  const value: unknown = JSON.parse(readFileSync(path.join(root, relativePath), "utf8"));
  if (!isObject(value)) throw new Error(`The schema ${relativePath} is not an object.`);
  return value;
}

/** The release whose schemas these are, such as `3.0.6`. */
export const PROTOCOL_VERSION = String(readSchema("manifest.json").adcp_version);

/** Every schema has the id `/schemas/<version>/<path>`. */
const idPrefix = `/schemas/${PROTOCOL_VERSION}/`;

/** For schemas of our own: a reference to one of the protocol's. */
export function schemaRef(name: string): JsonSchema {
  return { $ref: `${idPrefix}${name}.json` };
}

const loaded = new Map<string, JsonSchema>();

/** A schema by its path without extension, such as `media-buy/get-products-request`. */
export function loadSchema(name: string): JsonSchema {
  const known = loaded.get(name);
  if (known) return known;
  const schema = readSchema(`${name}.json`);
  loaded.set(name, schema);
  return schema;
}

/** One of the protocol's schemas with further fields, as a schema of our own. */
export function extendedSchema(name: string, fields: Record<string, JsonSchema>): JsonSchema {
  const { $id: _id, examples: _examples, ...schema } = loadSchema(name);
  return { ...schema, properties: { ...(isObject(schema.properties) ? schema.properties : {}), ...fields } };
}

/** Names of the shared schemas that this one refers to, directly. */
function referencedNames(value: unknown, names = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) referencedNames(item, names);
  else if (isObject(value)) {
    const name = referenceName(value.$ref);
    if (name) names.add(name);
    for (const item of Object.values(value)) referencedNames(item, names);
  }
  return names;
}

function referenceName(ref: unknown): string | undefined {
  return typeof ref === "string" && ref.startsWith(idPrefix) ? ref.slice(idPrefix.length).replace(/\.json(#.*)?$/, "") : undefined;
}

const OPTIONS = { strict: false, discriminator: true, validateSchema: false, addUsedSchema: false, logger: false } as const;

/**
 * Two compilers: one stops at the first mistake, the other reports all. The second is for small inputs only: it copies its list of mistakes
 * for each element of a list, so that twenty thousand wrong elements would keep it busy for seconds.
 */
const compilers = { first: createCompiler(false), all: createCompiler(true) };
export type Thoroughness = keyof typeof compilers;

function createCompiler(allErrors: boolean) {
  return { ajv: addFormats(new Ajv({ ...OPTIONS, allErrors })), added: new Set<string>() };
}
type Compiler = ReturnType<typeof createCompiler>;

/** Compiling takes some 20 ms a schema: keep the result. */
export function compileSchema(name: string, thoroughness: Thoroughness = "first"): ValidateFunction {
  const compiler = compilers[thoroughness];
  addWithReferences(compiler, name);
  const validator = compiler.ajv.getSchema(`${idPrefix}${name}.json`);
  if (!validator) throw new Error(`The schema ${name} does not compile.`);
  return validator;
}

export function compileOwnSchema(schema: JsonSchema, thoroughness: Thoroughness = "first"): ValidateFunction {
  const compiler = compilers[thoroughness];
  for (const name of referencedNames(schema)) addWithReferences(compiler, name);
  return compiler.ajv.compile(schema);
}

function addWithReferences(compiler: Compiler, name: string): void {
  if (compiler.added.has(name)) return;
  compiler.added.add(name);
  const schema = loadSchema(name);
  compiler.ajv.addSchema(schema, `${idPrefix}${name}.json`);
  for (const reference of referencedNames(schema)) addWithReferences(compiler, reference);
}

/**
 * A self-contained copy: shared schemas move into `definitions`, below `definitionsPath`, and references point there. Several schemas can
 * share one set.
 * @param self where the copy itself will stand, which its references to its own parts need: `#` when it is the whole document
 */
export function embedReferences(schema: JsonSchema, self: string, definitionsPath: string, definitions: Map<string, JsonSchema>, trim: (schema: JsonSchema) => JsonSchema): JsonSchema {
  for (const name of referencedNames(schema)) {
    const key = definitionKey(name);
    if (definitions.has(key)) continue;
    definitions.set(key, {});
    definitions.set(key, trim(embedReferences(loadSchema(name), `${definitionsPath}${key}`, definitionsPath, definitions, trim)));
  }
  return repoint(schema, self, definitionsPath);
}

/** Names may hold nothing but letters, digits, `.`, `-` and `_` (OpenAPI's rule for components). */
function definitionKey(name: string): string {
  return name.replaceAll("/", ".");
}

function repoint(schema: JsonSchema, self: string, definitionsPath: string): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$id" && key !== "$schema").map(([key, value]) => [key, key === "$ref" ? newTarget(value, self, definitionsPath) : repointValue(value, self, definitionsPath)]));
}

function repointValue(value: unknown, self: string, definitionsPath: string): unknown {
  if (Array.isArray(value)) return value.map((item) => repointValue(item, self, definitionsPath));
  return isObject(value) ? repoint(value, self, definitionsPath) : value;
}

function newTarget(ref: unknown, self: string, definitionsPath: string): unknown {
  if (typeof ref !== "string") return ref;
  const name = referenceName(ref);
  if (name) return `${definitionsPath}${definitionKey(name)}${ref.split("#", 2)[1] ?? ""}`;
  return ref.startsWith("#") ? `${self}${ref.slice(1)}` : ref;
}

export function isObject(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Without the noise of unions: where none of the branches of a oneOf or anyOf fits, the mistakes of the branch with the fewest stand
 * for it, and the complaint about the union itself goes.
 */
export function compactErrors(errors: readonly ErrorObject[]): ErrorObject[] {
  let kept = [...errors];
  for (const union of errors) {
    if (union.keyword !== "oneOf" && union.keyword !== "anyOf") continue;
    const branches = new Map<string, ErrorObject[]>();
    for (const error of kept) {
      if (error === union || !error.instancePath.startsWith(union.instancePath) || !error.schemaPath.startsWith(`${union.schemaPath}/`)) continue;
      const branch = error.schemaPath.slice(union.schemaPath.length + 1).split("/", 1)[0] ?? "";
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    const [fewest, ...others] = [...branches.values()].sort((a, b) => a.length - b.length);
    if (!fewest) continue;
    const dropped = new Set([union, ...others.flat()]);
    kept = kept.filter((error) => !dropped.has(error));
  }
  return kept;
}
