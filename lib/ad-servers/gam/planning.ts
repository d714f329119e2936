import { toWireId } from "../../ids";
import { type DesiredLine, type DesiredOrder, type Operation, type PlanProblem } from "../types";
import { CHUNK_SIZE, type InventoryFlags, type LineItemRef, type OperationKind, type OrderRef, type Payload } from "./operations";
import { creativeProblems, toLineItem, type LineItemFields } from "./line-items";
import { type Known, type LineItemSnapshot, type OrderSnapshot } from "./snapshots";

const COMPANY_NAME_MAX = 127;

/** What the steps of one plan share. `state` follows the operations: it is what each snapshot says after the last one added. */
export type Planning = {
  desired: DesiredOrder;
  known: Known;
  now: Date;
  lines: PlannedLine[];
  order: OrderRef;
  orderState: Partial<OrderSnapshot>;
  flags: InventoryFlags;
  operations: Operation[];
  /** Creatives that an operation of this plan uploads. */
  uploads: Set<string>;
  counters: Map<OperationKind, number>;
};

export type PlannedLine = {
  line: DesiredLine;
  ref: LineItemRef;
  /** Absent when the package cannot be expressed; `problems` says why. */
  fields: LineItemFields | undefined;
  details: string;
  problems: PlanProblem[];
  creativeProblems: PlanProblem[];
  state: Partial<Omit<LineItemSnapshot, "fields">> & { fields?: Partial<LineItemFields> };
  isCreated: boolean;
};

export function startPlanning(desired: DesiredOrder, known: Known, now: Date): Planning {
  const advertiserId = known.order?.snapshot.advertiserId ?? desired.advertiserExternalId;
  return {
    desired, known, now,
    lines: desired.lines.map((line) => startLine(line, desired, known)),
    order: {
      orderId: known.order?.externalId ?? null, externalOrderNumber: desired.externalOrderNumber, suffix: desired.suffix,
      advertiser: { id: advertiserId, name: advertiserId === null ? desired.advertiserToCreate?.slice(0, COMPANY_NAME_MAX) ?? null : null },
    },
    orderState: { ...known.order?.snapshot },
    flags: { allowOverbook: desired.isOverbookingAllowed, skipInventoryCheck: desired.isInventoryCheckSkipped },
    operations: [], uploads: new Set(), counters: new Map(),
  };
}

function startLine(line: DesiredLine, desired: DesiredOrder, known: Known): PlannedLine {
  const mapping = toLineItem(line, desired.timeZone);
  const lineItem = known.lineItems.get(line.packageId);
  return {
    line,
    ref: { packageId: line.packageId, externalLineItemId: toWireId("package", line.packageId), lineItemId: lineItem?.externalId ?? null },
    fields: mapping.fields,
    details: mapping.fields ? mapping.details : `Line item “${line.productName}”`,
    problems: mapping.problems ?? [],
    creativeProblems: creativeProblems(line),
    state: { ...lineItem?.snapshot },
    isCreated: lineItem !== undefined,
  };
}

const SINGLE: ReadonlySet<OperationKind> = new Set<OperationKind>(["create-advertiser", "create-order", "update-order", "archive-order"]);

/** One operation. Its key names the effect: chunks of the same kind are numbered through. */
export function addOperation<K extends OperationKind>(planning: Planning, kind: K, text: { summary: string; details: string[] }, payload: Payload<K>): void {
  const number = planning.counters.get(kind) ?? 0;
  planning.counters.set(kind, number + 1);
  planning.operations.push({ key: SINGLE.has(kind) ? kind : `${kind}:${number}`, kind, ...text, payload });
}

/** One operation per chunk of at most 50; none for nothing. */
export function addChunks<K extends OperationKind, T>(planning: Planning, kind: K, items: T[], build: (chunk: T[]) => { summary: string; details: string[]; payload: Payload<K> }): void {
  for (const part of chunk(items)) {
    const { payload, ...text } = build(part);
    addOperation(planning, kind, text, payload);
  }
}

export function chunk<T>(items: T[], size = CHUNK_SIZE): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

export function count(number: number, singular: string): string {
  return `${number} ${singular}${number === 1 ? "" : "s"}`;
}

/** When the line item stops by itself, as far as the ad server knows. */
export function writtenEnd({ state, line }: PlannedLine): Date {
  return new Date(state.fields?.targetEndTime ?? line.endsAt);
}

export function isApproved(planning: Planning, { line }: PlannedLine): boolean {
  return planning.orderState.approvedPackageIds?.includes(line.packageId) ?? false;
}
