import { type AppliedOrder, type DesiredOrder, type Plan, type PlanProblem } from "../types";
import { RETRY_CHOICES } from "./choices";
import { planDeactivations, planEnd, planLatePauses, planResumes, planStops, planUpdates } from "./plan-changes";
import { planCreativeUpdates, planLineCreatives, wantsCreatives } from "./plan-creatives";
import { planNewLines, START_MARGIN_MS } from "./plan-new";
import { isApproved, startPlanning, type PlannedLine, type Planning } from "./planning";
import { readApplied } from "./snapshots";

const LINE_ITEMS_MAX = 450;

/**
 * From what the order should be and what we wrote so far to the operations that remain; none when both agree. What stops delivery
 * comes first, what may have to wait for the ad server (approval, forecast) last, so that a wait holds up nothing else.
 * A package or creative that cannot be written blocks a new order; in one that exists the rest is carried on first.
 */
export function plan(desired: DesiredOrder, applied: AppliedOrder, now: Date): Plan {
  const planning = startPlanning(desired, readApplied(applied), now);
  if (desired.isEnded) {
    planEnd(planning);
    return { outcome: "operations", operations: planning.operations };
  }
  const problems = findProblems(planning);
  if (planning.order.orderId === null) {
    if (planning.order.advertiser.id === null && planning.order.advertiser.name === null) return chooseAdvertiser();
    const [first] = problems.lines;
    if (first) return blocked(first, problems.lines.length);
  }
  const open = planning.lines.filter(({ line }) => !line.isCanceled);
  const running = open.filter((planned) => planned.isCreated && isApproved(planning, planned));
  planStops(planning);
  planLineCreatives(planning, open.filter((planned) => planned.isCreated && (isApproved(planning, planned) || planned.line.isHeld)));
  planDeactivations(planning);
  planCreativeUpdates(planning, open);
  planUpdates(planning, open);
  planResumes(planning, running);
  planNewLines(planning, open.filter((planned) => !running.includes(planned) && !planned.line.isHeld));
  planLatePauses(planning, open);
  planResumes(planning, open.filter((planned) => isApproved(planning, planned)));
  const [first] = [...problems.lines, ...problems.creatives];
  if (planning.operations.length === 0 && first) return blocked(first, problems.lines.length + problems.creatives.length);
  return { outcome: "operations", operations: planning.operations };
}

function findProblems(planning: Planning): { lines: PlanProblem[]; creatives: PlanProblem[] } {
  const open = planning.lines.filter(({ line }) => !line.isCanceled);
  // What is held is not booked, so that nothing hinders it.
  const lines = open.filter((planned) => !planned.line.isHeld || planned.isCreated).flatMap((planned) => [...planned.problems, ...lateProblems(planning, planned)]);
  if (open.length > LINE_ITEMS_MAX) lines.push({ code: "too_many_line_items", message: `Google Ad Manager holds at most ${LINE_ITEMS_MAX} line items an order; this one has ${open.length} packages.` });
  return { lines, creatives: open.filter((planned) => wantsCreatives(planning, planned)).flatMap((planned) => planned.creativeProblems) };
}

/** A line item can be created and approved only while its flight lies ahead. */
function lateProblems(planning: Planning, planned: PlannedLine): PlanProblem[] {
  if (planned.line.isHeld || (planned.isCreated && isApproved(planning, planned))) return [];
  if (Date.parse(planned.line.endsAt) > planning.now.getTime() + START_MARGIN_MS) return [];
  return [{ code: "flight_ended", message: `The flight of “${planned.line.productName}” is over before it could be booked. Ask the buyer for new dates, or give up the order.`, packageId: planned.line.packageId }];
}

function chooseAdvertiser(): Plan {
  return {
    outcome: "blocked", code: "choose_advertiser",
    reason: "No advertiser in Google Ad Manager stands for this account yet. Choose one for the account, then try again.",
    choices: RETRY_CHOICES,
  };
}

function blocked(first: PlanProblem, all: number): Plan {
  const more = all > 1 ? ` (and ${all - 1} more)` : "";
  return { outcome: "blocked", code: first.code, reason: `${first.message}${more}`, choices: RETRY_CHOICES };
}
