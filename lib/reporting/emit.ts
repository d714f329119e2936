import { and, asc, eq, gt, isNull, lte, sql } from "drizzle-orm";
import { type Ctx } from "../context";
import { dayIn, startOfDay } from "../delivery/days";
import { deliveryDaily } from "../delivery/schema";
import { invariant } from "../errors";
import { toWireId } from "../ids";
import { mediaBuys } from "../media-buys/schema";
import { isTerminal, type MediaBuyRow } from "../media-buys/transitions";
import { addMs, DAY_MS, HOUR_MS, MINUTE_MS } from "../time";
import { queueWebhook } from "../webhooks/service";
import { REPORT_DELAY_MINUTES, type ReportingFrequency } from "./capabilities";
import { loadReport, type NoticeType, type Report, toNotice } from "./notice";
import { reportingSubscriptions } from "./schema";
import { type Window, windowAfter, windowAt } from "./windows";

type Subscription = typeof reportingSubscriptions.$inferSelect;

/** How long figures that are late are waited for, and how often looked for. Then the report goes out with what is known. */
const PATIENCE_MS: Record<ReportingFrequency, number> = { hourly: 3 * HOUR_MS, daily: DAY_MS, monthly: 3 * DAY_MS };
const RECHECK_MS: Record<ReportingFrequency, number> = { hourly: 15 * MINUTE_MS, daily: HOUR_MS, monthly: HOUR_MS };
/** An hour's report says how the day stands; ad servers are read at least hourly. */
const HOURLY_AGE_MS = 2 * HOUR_MS;
/** What one call writes at most. The next goes on. */
const NOTICES_MAX = 50;

/**
 * Writes the notices of one subscription that are due: corrections of what was reported, the windows that have ended, and the last of all.
 * Under the subscription's lock, so that each is numbered and queued once, whoever calls. Answers how many.
 */
export async function emitReports(ctx: Ctx, subscriptionId: string): Promise<number> {
  const [subscription] = await ctx.db.select().from(reportingSubscriptions)
    .where(and(eq(reportingSubscriptions.tenantId, ctx.tenantId), eq(reportingSubscriptions.id, subscriptionId), isNull(reportingSubscriptions.endedAt), lte(reportingSubscriptions.nextCheckAt, ctx.now))).for("update", { skipLocked: true });
  if (!subscription) return 0;
  const [buy] = await ctx.db.select().from(mediaBuys).where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, subscription.mediaBuyId)));
  invariant(buy, `no media buy ${subscription.mediaBuyId}`);
  const emission = new Emission(ctx, subscription, buy);
  await emission.run();
  const { sequenceNumber, windowStartsAt, delayedAt, adjustedUntil, nextCheckAt, endedAt } = emission.state;
  await ctx.db.update(reportingSubscriptions).set({ sequenceNumber, windowStartsAt, delayedAt, adjustedUntil, nextCheckAt, endedAt, updatedAt: ctx.now })
    .where(and(eq(reportingSubscriptions.tenantId, ctx.tenantId), eq(reportingSubscriptions.id, subscription.id)));
  return emission.written;
}

/** One subscription on its way from where it stood to now. */
class Emission {
  written = 0;
  readonly state: Subscription;

  constructor(private readonly ctx: Ctx, subscription: Subscription, private readonly buy: MediaBuyRow) {
    this.state = { ...subscription };
  }

  async run(): Promise<void> {
    const { buy, ctx, state } = this;
    if (buy.confirmedAt === null) {
      if (isTerminal(buy.status)) state.endedAt = ctx.now;
      state.nextCheckAt = addMs(ctx.now, HOUR_MS);
      return;
    }
    await this.sendCorrections();
    const isUpToDate = await this.sendWindows();
    if (isUpToDate && isTerminal(buy.status)) await this.sendFinal();
    state.adjustedUntil = ctx.now;
  }

  private get begins(): Date {
    return this.buy.effectiveStartsAt ?? this.buy.startsAt;
  }

  private get stops(): Date {
    const { canceledAt, endsAt } = this.buy;
    return canceledAt !== null && canceledAt < endsAt ? canceledAt : endsAt;
  }

  private windowAt(instant: Date): Window {
    return windowAt(instant, this.state.frequency, this.state.timeZone);
  }

  /** Days that were reported and whose figures have changed since the last look. Of hours, whole days are corrected. */
  private async sendCorrections(): Promise<void> {
    const { ctx, state, buy } = this;
    const reportedBefore = dayIn(state.windowStartsAt, state.timeZone);
    const changed = await ctx.db.select({ day: deliveryDaily.day, changedAt: sql<Date>`max(${deliveryDaily.changedAt})`.mapWith(deliveryDaily.changedAt) }).from(deliveryDaily)
      .where(and(eq(deliveryDaily.tenantId, ctx.tenantId), eq(deliveryDaily.mediaBuyId, buy.id), gt(deliveryDaily.changedAt, state.adjustedUntil), sql`${deliveryDaily.day} < ${reportedBefore}`))
      .groupBy(deliveryDaily.day).orderBy(asc(deliveryDaily.day));
    const windows = new Map<string, { window: Window; changedAt: number }>();
    for (const { day, changedAt } of changed) {
      const window = windowAt(startOfDay(day, state.timeZone), state.frequency === "hourly" ? "daily" : state.frequency, state.timeZone);
      const known = windows.get(window.range.from);
      windows.set(window.range.from, { window, changedAt: Math.max(known?.changedAt ?? 0, changedAt.getTime()) });
    }
    for (const { window, changedAt } of [...windows.values()].slice(-NOTICES_MAX)) {
      await this.send("adjusted", `${window.startsAt.toISOString()}:adjusted:${changedAt}`, await this.load(window.range), this.windowAt(state.windowStartsAt).dueAt);
    }
  }

  /** False: more is due than one call writes, or figures are waited for. */
  private async sendWindows(): Promise<boolean> {
    const { ctx, state, buy } = this;
    for (let window = this.windowAt(state.windowStartsAt); ; window = windowAfter(window, state.frequency, state.timeZone)) {
      state.windowStartsAt = window.startsAt;
      // What is left of the last window is in the final report.
      if (isTerminal(buy.status) && window.endsAt > this.stops) return true;
      const isAhead = window.dueAt > ctx.now;
      if (isAhead || this.written >= NOTICES_MAX) {
        state.nextCheckAt = isAhead ? earliest(window.dueAt, addMs(ctx.now, DAY_MS)) : ctx.now;
        return false;
      }
      if (window.endsAt > this.begins && !(await this.sendWindow(window))) return false;
      state.delayedAt = null;
    }
  }

  private async sendWindow(window: Window): Promise<boolean> {
    const { ctx, state } = this;
    const report = await this.load(window.range);
    const neededUntil = state.frequency === "hourly" ? addMs(window.endsAt, -HOURLY_AGE_MS) : window.endsAt;
    const isComplete = isKnownUntil(report, neededUntil);
    const key = window.startsAt.toISOString();
    if (!isComplete && ctx.now < addMs(window.dueAt, PATIENCE_MS[state.frequency])) return this.wait(key, report);
    await this.send("scheduled", `${key}:scheduled`, { ...report, isAvailable: isComplete }, this.expectedAfter(window));
    return true;
  }

  private async sendFinal(): Promise<void> {
    const { ctx, state } = this;
    const dueAt = addMs(this.stops, state.frequency === "hourly" ? HOUR_MS : REPORT_DELAY_MINUTES * MINUTE_MS);
    if (dueAt > ctx.now) {
      state.nextCheckAt = earliest(dueAt, addMs(ctx.now, DAY_MS));
      return;
    }
    const last = new Date(Math.max(this.begins.getTime(), this.stops.getTime() - 1));
    const report = await this.load({ from: dayIn(this.begins, state.timeZone), to: dayIn(last, state.timeZone) });
    const isComplete = isKnownUntil(report, this.stops);
    if (!isComplete && ctx.now < addMs(dueAt, PATIENCE_MS[state.frequency])) return void (await this.wait("final", report));
    await this.send("final", "final", { ...report, isAvailable: isComplete }, null);
    state.endedAt = ctx.now;
  }

  /** Tells once that figures are late, and looks again later. */
  private async wait(key: string, report: Report): Promise<false> {
    const { ctx, state } = this;
    state.nextCheckAt = addMs(ctx.now, RECHECK_MS[state.frequency]);
    if (state.delayedAt === null) {
      await this.send("delayed", `${key}:delayed`, { ...report, isAvailable: false }, state.nextCheckAt);
      state.delayedAt = ctx.now;
    }
    return false;
  }

  private load(range: Window["range"]): Promise<Report> {
    return loadReport(this.ctx, this.buy, range, this.state.requestedMetrics);
  }

  /** When the notice after this window's comes: the next window's, or the final one. */
  private expectedAfter(window: Window): Date {
    const next = windowAfter(window, this.state.frequency, this.state.timeZone);
    const { endsAt } = this.buy;
    return next.endsAt > endsAt ? addMs(endsAt, this.state.frequency === "hourly" ? HOUR_MS : REPORT_DELAY_MINUTES * MINUTE_MS) : next.dueAt;
  }

  private async send(type: NoticeType, key: string, report: Report, nextExpectedAt: Date | null): Promise<void> {
    const { ctx, state, buy } = this;
    const sequenceNumber = state.sequenceNumber + 1;
    const isNew = await queueWebhook(ctx, {
      configId: state.configId, mediaBuyId: buy.id, eventKey: `report:${state.id}:${key}`, taskId: toWireId("webhook", state.id), taskType: "media_buy_delivery",
      result: toNotice(report, { type, sequenceNumber, nextExpectedAt }),
    });
    if (!isNew) return;
    state.sequenceNumber = sequenceNumber;
    this.written += 1;
  }
}

/** Without an age nothing can have been delivered, and zero is the truth. */
function isKnownUntil({ isAvailable, asOf }: Report, until: Date): boolean {
  return isAvailable && (asOf === null || asOf >= until);
}

function earliest(a: Date, b: Date): Date {
  return a < b ? a : b;
}
