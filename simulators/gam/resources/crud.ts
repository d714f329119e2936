import { isVisible, parentOf, type Call, type Handler } from "../call";
import { ApiError, invalid, invalidField, notFound } from "../errors";
import { isObject, type Json, type JsonObject } from "../json";
import { applyUpdateMask } from "../masks";
import { findChangedImmutables, findMissing, parseMessage, unknownName, withoutInputOnly } from "../message";
import { listPage } from "../paging";
import { formatTimestamp } from "../scalars";
import { getMessage } from "../schema";
import type { Row } from "../table";
import type { ResourceKind, WritableKind } from "./kind";

const MAX_BATCH = 100;

export function findRow(call: Call, kind: ResourceKind, name: string): Row {
  const row = call.network.tables[kind.collection].get(name);
  if (!row) throw notFound(name);
  return row;
}

/** A handler for `GET …/{collection}/{id}`; the name is given by the path. */
export function getByPath(kind: ResourceKind, nameOf: (call: Call) => string): Handler {
  return (call) => {
    const row = findRow(call, kind, nameOf(call));
    if (!isVisible(row, call.now)) throw notFound(row.name);
    return kind.render(call.network, row, call.now);
  };
}

export function listAll(kind: ResourceKind, within?: (call: Call) => { field: string; value: string } | undefined): Handler {
  return (call) => {
    const limit = within?.(call);
    return listPage(call, {
      message: kind.message,
      collection: kind.plural,
      plural: kind.plural,
      fields: kind.filterFields,
      table: call.network.tables[kind.collection],
      render: kind.render,
      ...(limit ? { within: limit } : {}),
    });
  };
}

function createOne(kind: WritableKind, call: Call, value: Json | undefined, path: string): JsonObject {
  const { name: _ignored, ...input } = parseMessage(kind.message, value, path);
  const missing = findMissing(kind.message, input, path);
  if (missing.length > 0) throw invalid(missing);
  const { name, resource, hidden } = kind.build(call, input, path);
  const delay = call.faults.take("delayedVisibility")?.ms;
  const row: Row = {
    name,
    resource: touch(kind, call, { name, ...withoutInputOnly(kind.message, resource) }),
    hidden: delay === undefined ? hidden : { ...hidden, visibleAt: call.now.getTime() + delay },
  };
  call.transaction.put(kind.collection, row);
  call.created.push(name);
  return kind.render(call.network, row, call.now);
}

function updateOne(kind: WritableKind, call: Call, value: Json | undefined, mask: string | undefined, path: string): JsonObject {
  const { name, ...input } = parseMessage(kind.message, value, path);
  if (typeof name !== "string" || name === "") throw invalidField(`${path}.name`, "name is required.", "REQUIRED_ERROR_REQUIRED");
  const before = findRow(call, kind, name);
  refuseConcurrentModification(call, name);
  const after = applyUpdateMask(kind.message, before.resource, input, mask);
  const violations = [...findChangedImmutables(kind.message, before.resource, after, path), ...findMissing(kind.message, after, path)];
  if (violations.length > 0) throw invalid(violations);
  const { resource, hidden } = kind.revise(call, before, after, input, path);
  const row: Row = { name, resource: touch(kind, call, withoutInputOnly(kind.message, resource)), hidden };
  call.transaction.put(kind.collection, row);
  return kind.render(call.network, row, call.now);
}

export function refuseConcurrentModification(call: Call, name: string): void {
  if (!call.faults.take("concurrentModification")) return;
  const description = `${name} was modified by another request.`;
  throw new ApiError("ABORTED", description, {
    violations: [{ field: "name", description, reason: "COMMON_ERROR_CONCURRENT_MODIFICATION" }],
  });
}

/** Stamps the update time where the message has one. */
export function touch(kind: ResourceKind, call: Call, resource: JsonObject): JsonObject {
  return getMessage(kind.message).has("updateTime") ? { ...resource, updateTime: formatTimestamp(call.now) } : resource;
}

export function createSingle(kind: WritableKind): Handler {
  return (call) => createOne(kind, call, call.body, kind.singular);
}

export function patchByPath(kind: WritableKind, nameOf: (call: Call) => string): Handler {
  return (call) => {
    if (!isObject(call.body)) throw invalidField(kind.singular, "Expected a JSON object.");
    return updateOne(kind, call, { ...call.body, name: nameOf(call) }, call.query.get("updateMask"), kind.singular);
  };
}

/** Runs a batch's elements in order. The batch is one transaction, unless a fault asks for a partial one. */
export function runBatch<T, R>(call: Call, items: readonly T[], apply: (item: T, index: number) => R): R[] {
  const fault = call.faults.take("batchFailAt", (spec) => spec.index < items.length);
  return items.map((item, index) => {
    if (fault?.index === index) {
      const description = `Element ${index} of the batch was refused.`;
      throw new ApiError("INVALID_ARGUMENT", description, {
        violations: [{ field: `requests[${index}]`, description, reason: "COMMON_ERROR_INVALID_OPERATION" }],
        keepsPartialWork: !fault.atomic,
      });
    }
    return apply(item, index);
  });
}

/** The elements of a batch body, each with only the keys that its request message has. */
export function readBatch(call: Call, keys: readonly string[], parent = parentOf(call)): JsonObject[] {
  const body = readBody(call, ["requests"], parent);
  const requests = body["requests"];
  if (!Array.isArray(requests) || requests.length === 0) throw invalidField("requests", "requests is required.", "REQUIRED_ERROR_REQUIRED");
  if (requests.length > MAX_BATCH) throw invalidField("requests", `A maximum of ${MAX_BATCH} objects is allowed in a batch.`, "BATCH_ERROR_TOO_MANY_OBJECTS");
  return requests.map((request, index) => {
    if (!isObject(request)) throw invalidField(`requests[${index}]`, "Expected a JSON object.");
    for (const key of Object.keys(request)) if (!keys.includes(key)) throw unknownName(key, `requests[${index}]`);
    return request;
  });
}

export function readBody(call: Call, keys: readonly string[], parent = parentOf(call)): JsonObject {
  if (!isObject(call.body)) throw invalidField("body", "Expected a JSON object.");
  for (const [key, value] of Object.entries(call.body)) {
    if (key === "parent") {
      if (value !== parent) throw invalidField("parent", `parent must be '${parent}'.`);
    } else if (!keys.includes(key)) {
      throw unknownName(key, "");
    }
  }
  return call.body;
}

export interface BatchParent {
  /** The parent in the path. */
  name: (call: Call) => string;
  /** Whether an element's own parent fits it. */
  accepts: (call: Call, request: JsonObject) => boolean;
}

const networkParent: BatchParent = { name: parentOf, accepts: (call, request) => request["parent"] === parentOf(call) };

export function batchCreate(kind: WritableKind, parent: BatchParent = networkParent): Handler {
  return (call) => {
    const created = runBatch(call, readBatch(call, ["parent", kind.singular], parent.name(call)), (request, index) => {
      const path = `requests[${index}]`;
      if (!parent.accepts(call, request)) throw invalidField(`${path}.parent`, `parent must match '${parent.name(call)}'.`);
      return createOne(kind, call, request[kind.singular], `${path}.${kind.singular}`);
    });
    return { [kind.plural]: created };
  };
}

export function batchUpdate(kind: WritableKind, parentName: (call: Call) => string = parentOf): Handler {
  return (call) => {
    const updated = runBatch(call, readBatch(call, [kind.singular, "updateMask"], parentName(call)), (request, index) => {
      const mask = request["updateMask"];
      if (mask !== undefined && mask !== null && typeof mask !== "string") throw invalidField(`requests[${index}].updateMask`, "Expected a field mask.");
      return updateOne(kind, call, request[kind.singular], mask ?? undefined, `requests[${index}].${kind.singular}`);
    });
    return { [kind.plural]: updated };
  };
}
