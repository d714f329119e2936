import { invalidField } from "./errors";
import { isObject, type Json, type JsonObject } from "./json";
import { findMessage, getMessage, type Field } from "./schema";

/** A response field mask as a tree; `null` keeps everything below. */
export type ResponseMask = Map<string, ResponseMask | null>;

/** Parses `fields=orders(name,displayName),totalSize`, with `.` and `/` both as path separators. */
export function parseResponseMask(text: string): ResponseMask {
  const tokens = text.match(/[A-Za-z0-9_*]+|[(),./]/g) ?? [];
  if (tokens.join("") !== text.replace(/\s/g, "")) throw invalidField("fields", `Invalid field mask: ${text}`);
  let position = 0;

  function parseList(): ResponseMask {
    const mask: ResponseMask = new Map();
    do parsePath(mask);
    while (tokens[position] === "," && ++position);
    return mask;
  }

  function parsePath(into: ResponseMask): void {
    const name = tokens[position++];
    if (name === undefined || !/^[A-Za-z0-9_*]+$/.test(name)) throw invalidField("fields", `Invalid field mask: ${text}`);
    const next = tokens[position];
    if (next === "." || next === "/") {
      position++;
      parsePath(childOf(into, name));
    } else if (next === "(") {
      position++;
      for (const [key, child] of parseList()) childOf(into, name).set(key, child);
      if (tokens[position++] !== ")") throw invalidField("fields", `Invalid field mask: ${text}`);
    } else {
      into.set(name, null);
    }
  }

  const mask = parseList();
  if (position !== tokens.length) throw invalidField("fields", `Invalid field mask: ${text}`);
  return mask;
}

function childOf(mask: ResponseMask, name: string): ResponseMask {
  const existing = mask.get(name);
  if (existing) return existing;
  const child: ResponseMask = new Map();
  mask.set(name, child);
  return child;
}

export function applyResponseMask(value: JsonObject, mask: ResponseMask): JsonObject {
  if (mask.has("*")) return value;
  const result: JsonObject = {};
  for (const [key, child] of mask) {
    const item = value[key];
    if (item !== undefined) result[key] = child === null ? item : maskInside(item, child);
  }
  return result;
}

function maskInside(value: Json, mask: ResponseMask): Json {
  if (Array.isArray(value)) return value.map((item) => maskInside(item, mask));
  return isObject(value) ? applyResponseMask(value, mask) : value;
}

/**
 * Applies an update by its mask. Without a mask every field that the request carries is written; output-only
 * fields in a mask are passed over, since writing them does nothing.
 */
export function applyUpdateMask(messageName: string, before: JsonObject, update: JsonObject, mask: string | undefined): JsonObject {
  if (mask === undefined || mask === "") return { ...before, ...update };
  const paths = mask === "*" ? [...getMessage(messageName).keys()] : mask.split(",").map((path) => path.trim());
  return paths.reduce((result, path) => setPath(messageName, result, update, path.split("."), path), before);
}

function setPath(messageName: string, target: JsonObject, source: JsonObject, segments: string[], path: string): JsonObject {
  const [head = "", ...rest] = segments;
  const field = getMessage(messageName).get(head);
  if (!field) throw invalidField("updateMask", `Invalid value at 'updateMask': '${path}' is not a field of ${messageName}.`);
  if (isPassedOver(field)) return target;
  const result = { ...target };
  if (rest.length === 0) {
    if (source[head] === undefined) delete result[head];
    else result[head] = source[head];
    return result;
  }
  if (field.isRepeated || !findMessage(field.type)) {
    throw invalidField("updateMask", `Invalid value at 'updateMask': '${path}' reaches into a field that has no parts.`);
  }
  const inner = source[head];
  const current = target[head];
  result[head] = setPath(field.type, isObject(current) ? current : {}, isObject(inner) ? inner : {}, rest, path);
  return result;
}

function isPassedOver(field: Field): boolean {
  return field.behavior.has("OUTPUT_ONLY") || field.behavior.has("IDENTIFIER");
}
