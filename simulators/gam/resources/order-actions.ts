import type { Call, Handler } from "../call";
import { ApiError } from "../errors";
import { flagOf, textOf, type JsonObject } from "../json";
import type { Row } from "../table";
import { batchAction, notApplicable } from "./actions";
import { touch } from "./crud";
import { checkInventory, reservesInventory } from "./forecast";
import { changeLineItem, deleteLineItem, refuseTooManyAtOnce } from "./line-items";
import { lineItemsOf, orderKind } from "./orders";

const MAX_NAMES = 100;

type Status = "DRAFT" | "PENDING_APPROVAL" | "APPROVED" | "DISAPPROVED" | "PAUSED" | "DELETED";

function setOrder(call: Call, order: Row, changes: JsonObject): void {
  call.transaction.put("orders", { ...order, resource: touch(orderKind, call, { ...order.resource, ...changes }) });
}

function openLineItems(call: Call, order: Row): Row[] {
  return lineItemsOf(call.network, order.name).filter((item) => !flagOf(item.resource, "archived"));
}

function statusOf(order: Row): string {
  return flagOf(order.resource, "archived") ? "ARCHIVED" : textOf(order.resource, "status") ?? "DRAFT";
}

/** A move between statuses: nothing to do when it is already there, refused from anywhere else. */
function move(verb: string, from: readonly Status[], to: Status, cascade: (call: Call, order: Row) => void = () => undefined) {
  return (call: Call, order: Row): void => {
    const status = statusOf(order);
    if (status === to) return;
    if (!from.some((allowed) => allowed === status)) throw notApplicable(order.name, verb, status);
    setOrder(call, order, { status: to });
    cascade(call, order);
  };
}

function orderAction(apply: (call: Call, order: Row, options: JsonObject) => void, options: readonly string[] = []): Handler {
  return batchAction({ kind: orderKind, maxNames: MAX_NAMES, options, apply });
}

interface Approval {
  canOverbook: boolean;
  reserves: boolean;
}

function approve({ canOverbook, reserves }: Approval, options: readonly string[]): Handler {
  return batchAction({
    kind: orderKind,
    maxNames: MAX_NAMES,
    options,
    prepare: (call, orders, options) => {
      if (!call.account.canApprove) throw new ApiError("PERMISSION_DENIED", "The caller may not approve orders.");
      if (!reserves) return;
      const items = orders.flatMap((order) => unapprovedItems(call, order));
      refuseTooManyAtOnce(items);
      checkInventory(call, items, { canOverbook, isSkipped: flagOf(options, "skipInventoryCheck") });
    },
    apply: (call, order) => {
      const status = statusOf(order);
      if (!["DRAFT", "PENDING_APPROVAL", "APPROVED"].includes(status)) throw notApplicable(order.name, "approve", status);
      if (status !== "APPROVED") setOrder(call, order, { status: "APPROVED" });
      for (const item of unapprovedItems(call, order)) changeLineItem(call, item, { isApproved: true, isReserved: reserves && reservesInventory(item) });
    },
  });
}

function unapprovedItems(call: Call, order: Row): Row[] {
  return openLineItems(call, order).filter((item) => item.hidden.isApproved !== true);
}

function release(call: Call, order: Row): void {
  for (const item of openLineItems(call, order)) changeLineItem(call, item, { isApproved: false, isReserved: false });
}

function pauseItems(isPaused: boolean): (call: Call, order: Row) => void {
  return (call, order) => {
    for (const item of openLineItems(call, order)) changeLineItem(call, item, { isPaused });
  };
}

function resume(canOverbook: boolean, options: readonly string[]): Handler {
  return batchAction({
    kind: orderKind,
    maxNames: MAX_NAMES,
    options,
    prepare: (call, orders, options) => {
      const released = orders.flatMap((order) => openLineItems(call, order)).filter((item) => item.hidden.isReserved !== true);
      checkInventory(call, released, { canOverbook, isSkipped: flagOf(options, "skipInventoryCheck") });
    },
    apply: move("resume", ["PAUSED"], "APPROVED", pauseItems(false)),
  });
}

function archive(archived: boolean): Handler {
  return orderAction((call, order) => {
    if (flagOf(order.resource, "archived") === archived) return;
    if (textOf(order.resource, "status") === "DELETED") throw notApplicable(order.name, archived ? "archive" : "unarchive", "DELETED");
    setOrder(call, order, { archived });
    for (const item of lineItemsOf(call.network, order.name)) changeLineItem(call, item, archived ? { isReserved: false } : {}, { archived });
  });
}

const checkOptions = ["skipInventoryCheck"];
const submit = move("submit for approval", ["DRAFT"], "PENDING_APPROVAL");
const retract = orderAction(move("retract", ["PENDING_APPROVAL", "DISAPPROVED"], "DRAFT", release));
const disapprove = orderAction(move("disapprove", ["PENDING_APPROVAL"], "DISAPPROVED", release));
const remove = move("delete", ["DRAFT"], "DELETED", (call, order) => {
  for (const item of lineItemsOf(call.network, order.name)) deleteLineItem(call, item);
});

/** By the verb in `orders:verb`. */
export const orderActions: Readonly<Record<string, Handler>> = {
  batchApprove: approve({ canOverbook: false, reserves: true }, checkOptions),
  batchApproveAndOverbook: approve({ canOverbook: true, reserves: true }, checkOptions),
  batchApproveWithoutReservation: approve({ canOverbook: true, reserves: false }, []),
  batchSubmitForApproval: orderAction(submit, checkOptions),
  batchSubmitForApprovalAndOverbook: orderAction(submit),
  batchSubmitForApprovalWithoutReservationChanges: orderAction(submit),
  batchPause: orderAction(move("pause", ["APPROVED"], "PAUSED", pauseItems(true))),
  batchResume: resume(false, checkOptions),
  batchResumeAndOverbook: resume(true, []),
  batchArchive: archive(true),
  batchUnarchive: archive(false),
  batchDisapprove: disapprove,
  batchDisapproveWithoutReservationChanges: disapprove,
  batchRetract: retract,
  batchRetractWithoutReservationChanges: retract,
  batchDelete: orderAction(remove),
};
