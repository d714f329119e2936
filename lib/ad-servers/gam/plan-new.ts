import { formatDateTime } from "../../time";
import { planLineCreatives } from "./plan-creatives";
import { addOperation, chunk, count, isApproved, type PlannedLine, type Planning } from "./planning";
import { type OrderSnapshot } from "./snapshots";

/** A start must lie in the future when it arrives. */
export const START_MARGIN_MS = 60_000;

/**
 * The order and the line items that do not exist or are not approved yet. Ad Manager approves at most 50 line items at once, so they
 * go in groups: created, given their creatives, approved, before the next group.
 */
export function planNewLines(planning: Planning, lines: PlannedLine[]): void {
  const { desired } = planning;
  const bookable = lines.filter(({ line, fields }) => fields !== undefined && Date.parse(line.endsAt) > planning.now.getTime() + START_MARGIN_MS);
  if (bookable.length === 0) return;
  if (planning.order.advertiser.id === null && planning.order.advertiser.name !== null) {
    const { name } = planning.order.advertiser;
    addOperation(planning, "create-advertiser", { summary: `Create advertiser “${name}”`, details: [`Advertiser “${name}”, unless one of this name exists`] }, { name });
  }
  if (planning.order.orderId === null) planOrder(planning);
  // Those that exist first: no more than one group is ever unapproved.
  const ordered = [...bookable.filter(({ isCreated }) => isCreated), ...bookable.filter(({ isCreated }) => !isCreated)];
  for (const group of chunk(ordered)) {
    const missing = group.filter(({ isCreated }) => !isCreated);
    if (missing.length > 0) {
      addOperation(planning, "create-line-items", {
        summary: `Create ${count(missing.length, "line item")}`,
        details: missing.map(({ details }) => details),
      }, { order: planning.order, flags: planning.flags, items: missing.flatMap(({ ref, line, fields }) => (fields ? [{ ref, startsAt: line.startsAt, fields }] : [])) });
    }
    planLineCreatives(planning, group);
    planApproval(planning, group, desired.name);
  }
}

function planOrder(planning: Planning): void {
  const { desired } = planning;
  const snapshot: OrderSnapshot = {
    displayName: desired.name, poNumber: poNumber(desired.poNumber), advertiserId: planning.order.advertiser.id,
    externalOrderNumber: desired.externalOrderNumber, approvedPackageIds: [], isArchived: false,
  };
  planning.orderState = snapshot;
  const starts = desired.lines.map(({ startsAt }) => Date.parse(startsAt));
  const details = [`Order “${desired.name}”${snapshot.poNumber ? `, purchase order ${snapshot.poNumber}` : ""}, starting ${formatDateTime(new Date(Math.min(...starts)), desired.timeZone)}`];
  addOperation(planning, "create-order", { summary: "Create the order", details }, { ourKey: desired.fulfilmentId, order: planning.order, snapshot });
}

function planApproval(planning: Planning, group: PlannedLine[], name: string): void {
  const waiting = group.filter((planned) => !isApproved(planning, planned));
  if (waiting.length === 0) return;
  const before = planning.orderState.approvedPackageIds ?? [];
  // Approving an order approves all that is in it, and what is held has to be paused then. What was added to an approved one is activated by itself.
  const isWhole = before.length === 0 || planning.flags.allowOverbook || planning.flags.skipInventoryCheck;
  const along = isWhole ? planning.lines.filter((planned) => planned.isCreated && planned.line.isHeld && !planned.line.isCanceled && !isApproved(planning, planned)) : [];
  planning.orderState = { ...planning.orderState, approvedPackageIds: [...before, ...[...waiting, ...along].map(({ line }) => line.packageId)].sort() };
  const check = planning.flags.skipInventoryCheck ? ", without an inventory check" : planning.flags.allowOverbook ? ", even if inventory is short" : "";
  addOperation(planning, "approve-order", { summary: `Approve ${count(waiting.length, "line item")}${check}`, details: [`Approve the order “${name}”${check}`] }, {
    ourKey: planning.desired.fulfilmentId, order: planning.order, flags: planning.flags, lineItems: waiting.map(({ ref }) => ref), snapshot: planning.orderState,
  });
}

/** Ad Manager takes at most 63 characters. */
export function poNumber(text: string | null): string | null {
  return text === null || text === "" ? null : text.slice(0, 63);
}
