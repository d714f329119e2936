import { isDeepStrictEqual } from "node:util";
import { formatMoney } from "../../money";
import { formatDateTime } from "../../time";
import { sizeText } from "./creatives";
import { goalText, type LineItemFields } from "./line-items";
import { type LineItemChange, type LineItemState } from "./operations";
import { poNumber } from "./plan-new";
import { MASK } from "./wire";
import { addChunks, addOperation, count, isApproved, writtenEnd, type PlannedLine, type Planning } from "./planning";
import { associationKey } from "./snapshots";

/** Changes of what exists: stop, resume, update, archive. */

/** Fields that a line item takes after its creation; the others are frozen with what was sold. */
const MUTABLE = [
  "displayName", "rateMicros", "goal", "targetEndTime", "deliveryRateType", "creativeRotationType", "placeholders", "maxVideoSeconds", "priority", "targeting", "frequencyCaps",
] as const satisfies readonly (keyof LineItemFields)[];

type StateKind = "pause-line-items" | "resume-line-items" | "archive-line-items";

/** Canceled packages are paused and archived; paused ones, or those whose new end has passed, are paused. */
export function planStops(planning: Planning): void {
  const existing = planning.lines.filter(({ isCreated, state }) => isCreated && state.isArchived !== true);
  const canceled = existing.filter(({ line }) => line.isCanceled);
  const paused = existing.filter((planned) => !planned.line.isCanceled && isApproved(planning, planned) && mustPause(planning, planned) && planned.state.isPaused !== true);
  setStates(planning, "pause-line-items", [...canceled.filter((planned) => planned.state.isPaused !== true && !isOver(planning, planned)), ...paused]);
  setStates(planning, "archive-line-items", canceled);
}

/** Everything stops: line items are paused and archived, then the order. A flight that ran out ended by itself. */
export function planEnd(planning: Planning): void {
  const { order, orderState } = planning;
  if (order.orderId === null || orderState.isArchived === true) return;
  const existing = planning.lines.filter(({ isCreated }) => isCreated);
  const running = existing.filter((planned) => planned.state.isArchived !== true && !isOver(planning, planned));
  if (existing.length > 0 && running.length === 0 && existing.some(({ state }) => state.isArchived !== true)) return;
  setStates(planning, "pause-line-items", running.filter(({ state }) => state.isPaused !== true));
  setStates(planning, "archive-line-items", running);
  planning.orderState = { ...orderState, isArchived: true };
  addOperation(planning, "archive-order", { summary: "Archive the order", details: [`Order “${planning.desired.name}”`] }, { ourKey: planning.desired.fulfilmentId, orderId: order.orderId, snapshot: planning.orderState });
}

/** Line items that only this plan approves: before that they cannot be paused, and do not deliver. */
export function planLatePauses(planning: Planning, lines: PlannedLine[]): void {
  setStates(planning, "pause-line-items", lines.filter((planned) => isApproved(planning, planned) && mustPause(planning, planned) && planned.state.isPaused !== true));
}

export function planResumes(planning: Planning, lines: PlannedLine[]): void {
  setStates(planning, "resume-line-items", lines.filter((planned) => planned.isCreated && !mustPause(planning, planned) && planned.state.isPaused !== false && !isOver(planning, planned)));
}

function mustPause(planning: Planning, planned: PlannedLine): boolean {
  if (isOver(planning, planned)) return false;
  return planning.desired.isPaused || planned.line.isPaused || planned.line.isHeld || Date.parse(planned.line.endsAt) <= planning.now.getTime();
}

/** Whether it ends by itself, by the end that the ad server knows. */
function isOver(planning: Planning, planned: PlannedLine): boolean {
  return writtenEnd(planned) <= planning.now;
}

const STATE_WORDS = { "pause-line-items": "Pause", "resume-line-items": "Resume", "archive-line-items": "Archive" } as const satisfies Record<StateKind, string>;

function setStates(planning: Planning, kind: StateKind, lines: PlannedLine[]): void {
  for (const planned of lines) {
    if (kind === "archive-line-items") planned.state = { ...planned.state, isArchived: true };
    else planned.state = { ...planned.state, isPaused: kind === "pause-line-items" };
    if (!planned.isCreated) planned.state = { ...planned.state, fields: planned.fields, startsAt: planned.line.startsAt, isArchived: false };
  }
  addChunks(planning, kind, lines, (chunk) => ({
    summary: `${STATE_WORDS[kind]} ${count(chunk.length, "line item")}`,
    details: chunk.map(({ line }) => `${STATE_WORDS[kind]} line item “${line.productName}”`),
    payload: { order: planning.order, flags: planning.flags, items: chunk.map((planned): LineItemState => ({ ref: planned.ref, isApproved: isApproved(planning, planned), snapshot: toSnapshot(planned.state) })) },
  }));
}

export function planDeactivations(planning: Planning): void {
  const items = planning.lines.filter(({ line, isCreated, state }) => isCreated && !line.isCanceled && state.isArchived !== true).flatMap(({ line }) => {
    const wanted = new Set(line.creatives.map(({ creativeId }) => associationKey(line.packageId, creativeId)));
    return [...planning.known.associations.values()]
      .filter(({ ourKey, snapshot }) => ourKey.startsWith(`${line.packageId}:`) && !wanted.has(ourKey) && snapshot.isActive !== false)
      .map(({ ourKey, externalId, snapshot }) => ({ ourKey, externalId, snapshot: { ...snapshot, isActive: false }, name: line.productName }));
  });
  addChunks(planning, "deactivate-associations", items, (chunk) => ({
    summary: `Take ${count(chunk.length, "creative")} off`,
    details: chunk.map(({ externalId, name }) => `Creative ${externalId.split("/")[1] ?? externalId} no longer serves on line item “${name}”`),
    payload: { items: chunk.map(({ name: _name, ...item }) => item) },
  }));
}

export function planUpdates(planning: Planning, lines: PlannedLine[]): void {
  planOrderUpdate(planning);
  const changes = lines.flatMap((planned) => {
    const change = toChange(planning, planned);
    return change ? [change] : [];
  });
  addChunks(planning, "update-line-items", changes, (chunk) => ({
    summary: `Update ${count(chunk.length, "line item")}`,
    details: chunk.map(({ details }) => details),
    payload: { flags: planning.flags, items: chunk.map(({ details: _details, ...item }) => item) },
  }));
}

function planOrderUpdate(planning: Planning): void {
  const { desired, order, orderState } = planning;
  if (order.orderId === null) return;
  const wanted = { displayName: desired.name, poNumber: poNumber(desired.poNumber) };
  const changed = (["displayName", "poNumber"] as const).filter((key) => orderState[key] !== wanted[key]);
  if (changed.length === 0) return;
  planning.orderState = { ...orderState, ...wanted };
  const words = { displayName: `name “${wanted.displayName}”`, poNumber: `purchase order ${wanted.poNumber ?? "none"}` };
  addOperation(planning, "update-order", { summary: "Update the order", details: [`Order: ${changed.map((key) => words[key]).join(", ")}`] }, { ourKey: desired.fulfilmentId, orderId: order.orderId, changed, snapshot: planning.orderState });
}

function toChange(planning: Planning, planned: PlannedLine): (LineItemChange & { details: string }) | undefined {
  const { line, fields, state, ref } = planned;
  if (!planned.isCreated || !fields || state.isArchived === true || Date.parse(line.endsAt) <= planning.now.getTime()) return undefined;
  const before = state.fields;
  const changed = MUTABLE.filter((key) => !isDeepStrictEqual(before?.[key], fields[key]));
  // A flight that has begun keeps its start: Ad Manager refuses to move it.
  const isStartChanged = state.startsAt !== line.startsAt && Date.parse(state.startsAt ?? line.startsAt) > planning.now.getTime();
  if (changed.length === 0 && !isStartChanged) return undefined;
  planned.state = { ...state, fields, ...(isStartChanged ? { startsAt: line.startsAt, startTime: null } : {}) };
  const words = changed.map((key) => describeChange(key, before, fields, planning.desired.timeZone));
  if (isStartChanged) words.unshift(`start ${formatDateTime(new Date(line.startsAt), planning.desired.timeZone)}`);
  // Type and unit of a goal follow from what was sold: only its units ever change.
  const mask = changed.map((key) => (key === "goal" && before?.goal?.unitType === fields.goal.unitType && before.goal.goalType === fields.goal.goalType ? "goal.units" : MASK[key]));
  return { ref, changed, mask, isStartChanged, snapshot: { ...toSnapshot(planned.state), fields }, details: `Line item “${line.productName}”: ${words.join(", ")}` };
}

function toSnapshot(state: PlannedLine["state"]): LineItemState["snapshot"] {
  const { fields, ...rest } = state;
  return isWhole(fields) ? { ...rest, fields } : rest;
}

function isWhole(fields: Partial<LineItemFields> | undefined): fields is LineItemFields {
  return fields?.displayName !== undefined && fields.goal !== undefined && fields.targeting !== undefined;
}

function describeChange(key: (typeof MUTABLE)[number], before: Partial<LineItemFields> | undefined, after: LineItemFields, timeZone: string): string {
  const arrow = (old: string | undefined, now: string) => (old === undefined ? now : `${old} → ${now}`);
  const time = (text: string) => formatDateTime(new Date(text), timeZone);
  switch (key) {
    case "displayName": return `name “${after.displayName}”`;
    case "rateMicros": return `rate ${arrow(before?.rateMicros && formatMoney(BigInt(before.rateMicros), after.currency), formatMoney(BigInt(after.rateMicros), after.currency))}`;
    case "goal": return `goal ${arrow(before?.goal && goalText({ goal: before.goal }), goalText(after))}`;
    case "targetEndTime": return `end ${arrow(before?.targetEndTime && time(before.targetEndTime), time(after.targetEndTime))}`;
    case "deliveryRateType": return `pacing ${after.deliveryRateType.toLowerCase().replaceAll("_", " ")}`;
    case "creativeRotationType": return `creative rotation ${after.creativeRotationType.toLowerCase()}`;
    case "placeholders": return `sizes ${after.placeholders.map(sizeText).join(", ")}`;
    case "maxVideoSeconds": return `longest creative ${after.maxVideoSeconds ?? 0} s`;
    case "priority": return `priority ${after.priority}`;
    case "targeting": return "targeting";
    case "frequencyCaps": return "frequency caps";
  }
}
