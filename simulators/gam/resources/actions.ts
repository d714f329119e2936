import { parentOf, type Call, type Handler } from "../call";
import { ApiError, invalidField } from "../errors";
import type { JsonObject } from "../json";
import type { Row } from "../table";
import { findRow, readBody, refuseConcurrentModification, runBatch } from "./crud";
import type { ResourceKind } from "./kind";

export interface Action {
  kind: ResourceKind;
  maxNames: number;
  /** Further keys that the body may hold. */
  options?: readonly string[];
  parent?: (call: Call) => string;
  /** Acts on one resource. Being already where the action leads is no error; being unable to get there is. */
  apply: (call: Call, row: Row, options: JsonObject) => void;
  /** Looks at all of them before any is touched. */
  prepare?: (call: Call, rows: readonly Row[], options: JsonObject) => void;
}

/** `POST …:batchVerb` with `{names}`; the answer is empty. */
export function batchAction(action: Action): Handler {
  return (call) => {
    const options = action.options ?? [];
    const parent = action.parent?.(call) ?? parentOf(call);
    const { names, parent: _parent, ...given } = readBody(call, ["names", ...options], parent);
    if (!Array.isArray(names) || names.length === 0) throw invalidField("names", "names is required.", "REQUIRED_ERROR_REQUIRED");
    if (names.length > action.maxNames) throw invalidField("names", `A maximum of ${action.maxNames} objects is allowed in a batch.`, "BATCH_ERROR_TOO_MANY_OBJECTS");
    for (const [key, value] of Object.entries(given)) {
      if (typeof value !== "boolean") throw invalidField(key, `Invalid value at '${key}' (TYPE_BOOL), ${JSON.stringify(value)}`);
    }
    const rows = names.map((name, index) => {
      if (typeof name !== "string") throw invalidField(`names[${index}]`, "Expected a resource name.");
      return findRow(call, action.kind, name);
    });
    for (const row of rows) refuseConcurrentModification(call, row.name);
    action.prepare?.(call, rows, given);
    runBatch(call, rows, (row) => action.apply(call, findRow(call, action.kind, row.name), given));
    return {};
  };
}

export function notApplicable(name: string, verb: string, state: string): ApiError {
  const description = `${name} is ${state}: ${verb} does not apply.`;
  return new ApiError("INVALID_ARGUMENT", description, {
    violations: [{ field: "names", description, reason: "ACTION_ERROR_NOT_APPLICABLE" }],
  });
}
