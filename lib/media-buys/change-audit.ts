import { type auditLog } from "../audit/schema";
import { auditRow } from "../audit/service";
import { type Ctx } from "../context";
import { toWireId } from "../ids";
import { microsToDecimal } from "../money";
import { type PackageRow } from "./queries";
import { type MediaBuyRow } from "./transitions";

type Values = Record<string, unknown>;

/** What the history shows of an order, as plain JSON. */
function describeBuy(buy: MediaBuyRow): Values {
  return { status: buy.status, name: buy.name, po_number: buy.poNumber, start_time: buy.startsAt.toISOString(), end_time: buy.endsAt.toISOString(), total_budget: microsToDecimal(buy.budgetMicros) };
}

function describePackage(row: PackageRow): Values {
  return {
    budget: microsToDecimal(row.budgetMicros), rate: microsToDecimal(row.rateMicros), units: row.units.toString(), start_time: row.startsAt.toISOString(), end_time: row.endsAt.toISOString(),
    pacing: row.pacing, paused: row.isPaused, canceled: row.canceledAt !== null, targeting_overlay: row.targeting,
  };
}

/** The fields whose values differ, on both sides. */
function difference(before: Values, after: Values): { before: Values; after: Values } {
  const names = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  return { before: Object.fromEntries(names.map((name) => [name, before[name]])), after: Object.fromEntries(names.map((name) => [name, after[name]])) };
}

/** The record of a change of a confirmed order with before and after: the audit, and the history that the buyer reads. */
export function changeRecord(ctx: Ctx, change: { before: MediaBuyRow; after: MediaBuyRow; packagesBefore: PackageRow[]; affected: PackageRow[] }): typeof auditLog.$inferInsert {
  const { before, after } = change;
  const buy = difference(describeBuy(before), describeBuy(after));
  const packages = change.affected.map((row) => {
    const old = change.packagesBefore.find(({ id }) => id === row.id);
    return { id: toWireId("package", row.id), isNew: old === undefined, ...difference(old ? describePackage(old) : {}, describePackage(row)) };
  });
  return auditRow(ctx, {
    action: `media_buy.${actionOf(before, after, packages)}`, objectKind: "media_buy", objectId: after.id, mediaBuyId: after.id, summary: summarise(buy.after, packages),
    before: { revision: before.revision, ...buy.before, packages: Object.fromEntries(packages.map((item) => [item.id, item.before])) },
    after: { revision: after.revision, ...buy.after, packages: Object.fromEntries(packages.map((item) => [item.id, item.after])) },
  });
}

type PackageChange = { id: string; isNew: boolean; before: Values; after: Values };

/** The protocol's word for what mattered most. */
function actionOf(before: MediaBuyRow, after: MediaBuyRow, packages: PackageChange[]): string {
  if (after.status !== before.status) return after.status === "paused" ? "paused" : after.status === "canceled" ? "canceled" : before.status === "paused" ? "resumed" : "updated_packages";
  if (packages.some((item) => item.isNew)) return "added_packages";
  const fields = new Set(packages.flatMap((item) => Object.keys(item.after)));
  if (fields.has("canceled")) return "package_canceled";
  if (fields.has("paused")) return packages.some((item) => item.after.paused === true) ? "package_paused" : "package_resumed";
  if (fields.has("budget")) return "updated_budget";
  const areDatesMoved = before.startsAt.getTime() !== after.startsAt.getTime() || before.endsAt.getTime() !== after.endsAt.getTime();
  return areDatesMoved || fields.has("start_time") || fields.has("end_time") ? "updated_dates" : "updated_packages";
}

const SUMMARY_LENGTH_MAX = 500;

function summarise(buy: Values, packages: PackageChange[]): string {
  const parts = Object.entries(buy).map(([name, value]) => `${name} is now ${String(value)}`);
  for (const item of packages) {
    if (item.isNew) parts.push(`new package ${item.id}`);
    else parts.push(`${item.id}: ${Object.keys(item.after).join(", ") || "creatives"}`);
  }
  return parts.join("; ").slice(0, SUMMARY_LENGTH_MAX);
}
