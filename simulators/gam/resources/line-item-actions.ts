import type { Call, Handler } from "../call";
import { ApiError } from "../errors";
import { flagOf, textOf, type JsonObject } from "../json";
import type { Hidden, Row } from "../table";
import { batchAction, notApplicable, type Action } from "./actions";
import { touch } from "./crud";
import { checkInventory, reservesInventory } from "./forecast";
import { renderLineItem } from "./line-item-status";
import { deleteLineItem, lineItemKind } from "./line-items";

const MAX_NAMES = 100;
const MAX_APPROVED_AT_ONCE = 50;

function set(call: Call, item: Row, hidden: Hidden, changes: JsonObject = {}): void {
  call.transaction.put("lineItems", {
    ...item,
    resource: touch(lineItemKind, call, { ...item.resource, ...changes }),
    hidden: { ...item.hidden, ...hidden },
  });
}

function statusOf(call: Call, item: Row): string {
  if (flagOf(item.resource, "archived")) return "ARCHIVED";
  return textOf(renderLineItem(call.network, item, call.now), "status") ?? "DRAFT";
}

function orderStatusOf(call: Call, item: Row): string | undefined {
  const order = call.network.tables.orders.get(textOf(item.resource, "order") ?? "");
  return order && textOf(order.resource, "status");
}

function action(apply: Action["apply"], prepare?: Action["prepare"]): Handler {
  return batchAction({ kind: lineItemKind, maxNames: MAX_NAMES, apply, ...(prepare ? { prepare } : {}) });
}

function limitAtOnce(rows: readonly Row[]): void {
  if (rows.length <= MAX_APPROVED_AT_ONCE) return;
  const description = `No more than ${MAX_APPROVED_AT_ONCE} line items can be approved or reserved at once.`;
  throw new ApiError("INVALID_ARGUMENT", description, {
    violations: [{ field: "names", description, reason: "LINE_ITEM_OPERATION_ERROR_TOO_MANY_LINE_ITEMS" }],
  });
}

const isApproved = (item: Row): boolean => item.hidden.isApproved === true;
const isReserved = (item: Row): boolean => item.hidden.isReserved === true;

/** Activation approves what was added to an approved order later. */
const activate = action(
  (call, item) => {
    if (isApproved(item)) return;
    const status = statusOf(call, item);
    if (status !== "INACTIVE") throw notApplicable(item.name, "activate", status);
    set(call, item, { isApproved: true, isReserved: reservesInventory(item) });
  },
  (call, items) => {
    const waiting = items.filter((item) => !isApproved(item));
    limitAtOnce(waiting);
    checkInventory(call, waiting, { canOverbook: false, isSkipped: false });
  },
);

const pause = action((call, item) => {
  if (item.hidden.isPaused === true) return;
  const status = statusOf(call, item);
  if (!isApproved(item) || !["DELIVERING", "READY", "INACTIVE"].includes(status)) throw notApplicable(item.name, "pause", status);
  set(call, item, { isPaused: true });
});

function resume(canOverbook: boolean): Handler {
  return action(
    (call, item) => {
      const status = statusOf(call, item);
      if (status === "ARCHIVED" || orderStatusOf(call, item) !== "APPROVED") throw notApplicable(item.name, "resume", status);
      if (item.hidden.isPaused !== true) return;
      set(call, item, { isPaused: false, isReserved: reservesInventory(item) });
    },
    (call, items) => checkInventory(call, items.filter((item) => !isReserved(item)), { canOverbook, isSkipped: false }),
  );
}

function reserve(canOverbook: boolean): Handler {
  return action(
    (call, item) => {
      if (isReserved(item)) return;
      const status = statusOf(call, item);
      if (status === "ARCHIVED" || status === "CANCELED" || status === "COMPLETED" || !reservesInventory(item)) throw notApplicable(item.name, "reserve", status);
      set(call, item, { isReserved: true });
    },
    (call, items) => {
      const waiting = items.filter((item) => !isReserved(item));
      limitAtOnce(waiting);
      checkInventory(call, waiting, { canOverbook, isSkipped: false });
    },
  );
}

const release = action((call, item) => {
  if (!isReserved(item)) return;
  const status = statusOf(call, item);
  if (!["DRAFT", "PENDING_APPROVAL", "PAUSED"].includes(status)) throw notApplicable(item.name, "release", status);
  set(call, item, { isReserved: false });
});

function archive(archived: boolean): Handler {
  return action((call, item) => {
    if (flagOf(item.resource, "archived") === archived) return;
    set(call, item, archived ? { isReserved: false } : {}, { archived });
  });
}

const remove = action((call, item) => {
  const status = statusOf(call, item);
  if (status !== "DRAFT" && status !== "PENDING_APPROVAL") throw notApplicable(item.name, "delete", status);
  deleteLineItem(call, item);
});

/** By the verb in `lineItems:verb`. */
export const lineItemActions: Readonly<Record<string, Handler>> = {
  batchActivate: activate,
  batchPause: pause,
  batchResume: resume(false),
  batchResumeAndOverbook: resume(true),
  batchReserve: reserve(false),
  batchReserveAndOverbook: reserve(true),
  batchRelease: release,
  batchArchive: archive(true),
  batchUnarchive: archive(false),
  batchDelete: remove,
};
