import type { Call, Handler } from "../call";
import { flagOf, textOf } from "../json";
import type { Row } from "../table";
import { batchAction, notApplicable, type Action } from "./actions";
import { checkInventory, reservesInventory } from "./forecast";
import { renderLineItem } from "./line-item-status";
import { changeLineItem, deleteLineItem, lineItemKind, refuseTooManyAtOnce } from "./line-items";

const MAX_NAMES = 100;

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

const isApproved = (item: Row): boolean => item.hidden.isApproved === true;
const isReserved = (item: Row): boolean => item.hidden.isReserved === true;

/** Activation approves what was added to an approved order later. */
const activate = action(
  (call, item) => {
    if (isApproved(item)) return;
    const status = statusOf(call, item);
    if (status !== "INACTIVE") throw notApplicable(item.name, "activate", status);
    changeLineItem(call, item, { isApproved: true, isReserved: reservesInventory(item) });
  },
  (call, items) => {
    const waiting = items.filter((item) => !isApproved(item));
    refuseTooManyAtOnce(waiting);
    checkInventory(call, waiting, { canOverbook: false, isSkipped: false });
  },
);

const pause = action((call, item) => {
  if (item.hidden.isPaused === true) return;
  const status = statusOf(call, item);
  if (!isApproved(item) || !["DELIVERING", "READY", "INACTIVE"].includes(status)) throw notApplicable(item.name, "pause", status);
  changeLineItem(call, item, { isPaused: true });
});

function resume(canOverbook: boolean): Handler {
  return action(
    (call, item) => {
      const status = statusOf(call, item);
      if (status === "ARCHIVED" || orderStatusOf(call, item) !== "APPROVED") throw notApplicable(item.name, "resume", status);
      if (item.hidden.isPaused !== true) return;
      changeLineItem(call, item, { isPaused: false, isReserved: reservesInventory(item) });
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
      changeLineItem(call, item, { isReserved: true });
    },
    (call, items) => {
      const waiting = items.filter((item) => !isReserved(item));
      refuseTooManyAtOnce(waiting);
      checkInventory(call, waiting, { canOverbook, isSkipped: false });
    },
  );
}

const release = action((call, item) => {
  if (!isReserved(item)) return;
  const status = statusOf(call, item);
  if (!["DRAFT", "PENDING_APPROVAL", "PAUSED"].includes(status)) throw notApplicable(item.name, "release", status);
  changeLineItem(call, item, { isReserved: false });
});

function archive(archived: boolean): Handler {
  return action((call, item) => {
    if (flagOf(item.resource, "archived") === archived) return;
    changeLineItem(call, item, archived ? { isReserved: false } : {}, { archived });
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
