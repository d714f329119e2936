import { ApiError, invalidField, type Violation } from "./errors";
import { isEqual, isObject, type Json, type JsonObject } from "./json";
import { scalarReaders } from "./scalars";
import { findEnum, findMessage, getMessage, type Field } from "./schema";

/**
 * Reads a message by the rules of proto3 JSON: unknown fields and wrong types are refused, output-only
 * fields are accepted and dropped. Input-only fields stay; `withoutInputOnly` removes them before storing.
 */
export function parseMessage(messageName: string, value: Json | undefined, path: string): JsonObject {
  if (!isObject(value)) throw invalidField(path, "Expected a JSON object.");
  const message = getMessage(messageName);
  const result: JsonObject = {};
  const oneofs = new Map<string, string>();
  for (const [key, item] of Object.entries(value)) {
    const field = message.get(key);
    if (!field) throw unknownName(key, path);
    if (item === null || item === undefined) continue;
    if (field.oneof !== undefined) {
      const other = oneofs.get(field.oneof);
      if (other !== undefined) throw invalidField(`${path}.${key}`, `Only one of '${other}' and '${key}' may be set.`);
      oneofs.set(field.oneof, key);
    }
    const parsed = parseField(field, item, `${path}.${key}`);
    if (!field.behavior.has("OUTPUT_ONLY") && parsed !== undefined) result[key] = parsed;
  }
  return result;
}

export function unknownName(key: string, path: string): ApiError {
  const where = path === "" ? "" : ` at '${path}'`;
  const description = `Invalid JSON payload received. Unknown name "${key}"${where}: Cannot find field.`;
  return new ApiError("INVALID_ARGUMENT", description, { violations: [{ field: path === "" ? key : path, description }] });
}

function parseField(field: Field, value: Json, path: string): Json | undefined {
  if (!field.isRepeated) return parseElement(field, value, path);
  if (!Array.isArray(value)) throw badValue(path, `repeated ${field.type}`, value);
  const items: Json[] = [];
  value.forEach((item, index) => {
    const parsed = parseElement(field, item, `${path}[${index}]`);
    if (parsed !== undefined) items.push(parsed);
  });
  return items.length === 0 ? undefined : items;
}

function parseElement(field: Field, value: Json, path: string): Json | undefined {
  if (findMessage(field.type)) return parseMessage(field.type, value, path);
  const values = findEnum(field.type);
  if (values) {
    if (typeof value !== "string" || !values.has(value)) throw badValue(path, field.type, value);
    return value.endsWith("_UNSPECIFIED") ? undefined : value;
  }
  const read = scalarReaders.get(field.type);
  if (!read) throw new Error(`No reader for ${field.type}`);
  const parsed = read(value);
  if (parsed === undefined) throw badValue(path, field.type, value);
  return parsed;
}

function badValue(path: string, type: string, value: Json): ApiError {
  return invalidField(path, `Invalid value at '${path}' (${type}), ${JSON.stringify(value)}`);
}

/** The required fields that are absent, in this message and every message inside it. */
export function findMissing(messageName: string, object: JsonObject, path: string): Violation[] {
  const violations: Violation[] = [];
  for (const field of getMessage(messageName).values()) {
    const value = object[field.name];
    const fieldPath = path === "" ? field.name : `${path}.${field.name}`;
    if (value === undefined || value === "") {
      if (field.behavior.has("REQUIRED")) {
        violations.push({ field: fieldPath, description: `${field.name} is required.`, reason: "REQUIRED_ERROR_REQUIRED" });
      }
      continue;
    }
    if (!findMessage(field.type)) continue;
    const items = Array.isArray(value) ? value : [value];
    items.forEach((item, index) => {
      const itemPath = Array.isArray(value) ? `${fieldPath}[${index}]` : fieldPath;
      if (isObject(item)) violations.push(...findMissing(field.type, item, itemPath));
    });
  }
  return violations;
}

export function findChangedImmutables(messageName: string, before: JsonObject, after: JsonObject, path: string): Violation[] {
  return [...getMessage(messageName).values()]
    .filter((field) => field.behavior.has("IMMUTABLE") && !isEqual(before[field.name], after[field.name]))
    .map((field) => ({
      field: `${path}.${field.name}`,
      description: `${field.name} is immutable.`,
      reason: "COMMON_ERROR_IMMUTABLE_FIELD",
    }));
}

/** What is kept of a written message: input-only fields affect the request alone. */
export function withoutInputOnly(messageName: string, object: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    const field = getMessage(messageName).get(key);
    if (!field || field.behavior.has("INPUT_ONLY") || value === undefined) continue;
    if (!findMessage(field.type)) result[key] = value;
    else if (Array.isArray(value)) result[key] = value.map((item) => (isObject(item) ? withoutInputOnly(field.type, item) : item));
    else if (isObject(value)) result[key] = withoutInputOnly(field.type, value);
  }
  return result;
}
