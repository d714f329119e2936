import { ApiError } from "./errors";
import type { Comparator, Filter, Restriction } from "./filter";
import { isObject, type Json, type JsonObject } from "./json";
import { readTimestamp } from "./scalars";
import { findEnum, findField, findMessage, type Field } from "./schema";

export interface FilterTarget {
  message: string;
  /** The plural by which a path may be prefixed: `orders.displayName`. */
  collection: string;
  fields: readonly string[];
}

export type Predicate = (resource: JsonObject) => boolean;

/** Checks every path and value against the schema first: an unusable filter is refused, not matched by nothing. */
export function compileFilter(filter: Filter, target: FilterTarget): Predicate {
  switch (filter.kind) {
    case "and": {
      const parts = filter.parts.map((part) => compileFilter(part, target));
      return (resource) => parts.every((part) => part(resource));
    }
    case "or": {
      const parts = filter.parts.map((part) => compileFilter(part, target));
      return (resource) => parts.some((part) => part(resource));
    }
    case "not": {
      const part = compileFilter(filter.part, target);
      return (resource) => !part(resource);
    }
    case "restriction":
      return compileRestriction(filter, target);
  }
}

function badRestriction(restriction: Restriction, why: string): ApiError {
  const description = `Invalid filter: '${restriction.path} ${restriction.comparator} ${restriction.value}': ${why}`;
  return new ApiError("INVALID_ARGUMENT", description, {
    violations: [{ field: "filter", description, reason: "FILTER_ERROR_INVALID_FILTER" }],
  });
}

/** The path without the collection's name before it. */
export function fieldPath(path: string, target: FilterTarget): string {
  const prefix = `${target.collection}.`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}

function compileRestriction(restriction: Restriction, target: FilterTarget): Predicate {
  const path = fieldPath(restriction.path, target);
  const field = target.fields.includes(path) ? findField(target.message, path) : undefined;
  if (!field) throw badRestriction(restriction, "this field cannot be filtered on.");
  if (restriction.comparator === ":" && restriction.value === "*" && !restriction.isQuoted) {
    return (resource) => valuesAt(resource, path).length > 0;
  }
  const matches = compileValue(field, restriction, reachesThroughList(target.message, path));
  if (restriction.comparator === "!=") return (resource) => !valuesAt(resource, path).some(matches);
  return (resource) => valuesAt(resource, path).some(matches);
}

function reachesThroughList(message: string, path: string): boolean {
  const segments = path.split(".");
  return segments.some((_, index) => findField(message, segments.slice(0, index + 1).join("."))?.isRepeated === true);
}

function compileValue(field: Field, restriction: Restriction, isList: boolean): (value: Json) => boolean {
  const { comparator, value } = restriction;
  if (findMessage(field.type) || field.type === "google.type.Money") throw badRestriction(restriction, "name one of its parts.");
  if (isList && comparator !== ":") throw badRestriction(restriction, "a list takes only ':'.");
  const values = findEnum(field.type);
  if (values) {
    if (!values.has(value)) throw badRestriction(restriction, "no such value.");
    return equality(restriction, (item) => item === value);
  }
  switch (field.type) {
    case "bool": {
      if (value !== "true" && value !== "false") throw badRestriction(restriction, "expected true or false.");
      return equality(restriction, (item) => item === (value === "true"));
    }
    case "int32":
    case "int64":
    case "double": {
      if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) throw badRestriction(restriction, "expected a number.");
      // Ids exceed no double's precision here, yet equality stays exact by comparing integers as text.
      const number = Number(value);
      return (item) => (/^-?\d+$/.test(value) && isEquality(comparator) ? String(item) === value : compare(Number(item), number, comparator));
    }
    case "google.protobuf.Timestamp": {
      const instant = readTimestamp(value.replace(/([+-])(\d):/, "$10$2:"));
      if (instant === undefined) throw badRestriction(restriction, "expected a timestamp.");
      const limit = Date.parse(instant);
      return (item) => compare(Date.parse(String(item)), limit, comparator);
    }
    default:
      return compileText(restriction, isList);
  }
}

function compileText(restriction: Restriction, isList: boolean): (value: Json) => boolean {
  const { comparator, value } = restriction;
  const isPattern = value.includes("*");
  if (isPattern && !isEquality(comparator)) throw badRestriction(restriction, "'*' needs '=', '!=' or ':'.");
  if (isPattern) {
    const pattern = new RegExp(`^${value.split("*").map(escapeRegExp).join(".*")}$`, "s");
    return (item) => typeof item === "string" && pattern.test(item);
  }
  if (comparator === ":" && !isList) return (item) => typeof item === "string" && item.includes(value);
  return (item) => typeof item === "string" && compare(item, value, comparator);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function isEquality(comparator: Comparator): boolean {
  return comparator === "=" || comparator === "!=" || comparator === ":";
}

function equality(restriction: Restriction, matches: (value: Json) => boolean): (value: Json) => boolean {
  if (!isEquality(restriction.comparator)) throw badRestriction(restriction, "only =, != and ':' fit this field.");
  return matches;
}

/** `!=` compares as `=`; the restriction negates it, so that an absent value is unequal to everything. */
function compare<T extends number | string>(a: T, b: T, comparator: Comparator): boolean {
  switch (comparator) {
    case "<": return a < b;
    case "<=": return a <= b;
    case ">": return a > b;
    case ">=": return a >= b;
    default: return a === b;
  }
}

export function valuesAt(value: Json | undefined, path: string): Json[] {
  let values: Json[] = value === undefined ? [] : [value];
  for (const segment of path.split(".")) {
    values = values.flatMap((item) => {
      const next = isObject(item) ? item[segment] : undefined;
      if (next === undefined || next === null) return [];
      return Array.isArray(next) ? next : [next];
    });
  }
  return values;
}

/** Equalities that every match must satisfy, for choosing an index. */
export function requiredEqualities(filter: Filter, target: FilterTarget): Map<string, string> {
  const equalities = new Map<string, string>();
  const parts = filter.kind === "and" ? filter.parts : [filter];
  for (const part of parts) {
    if (part.kind === "restriction" && part.comparator === "=" && !part.value.includes("*")) {
      equalities.set(fieldPath(part.path, target), part.value);
    }
  }
  return equalities;
}
