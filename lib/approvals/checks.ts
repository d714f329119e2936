import { adServerDeclaration } from "../ad-servers/registry";
import { type adapterConfigs } from "../ad-servers/schema";
import { availableIn, type AvailableDays } from "../availability/days";
import { toDesiredCreative } from "../creatives/to-desired";
import { dayIn } from "../delivery/days";
import { AppError } from "../errors";
import { type PlanPreview } from "../fulfilment/desired";
import { type accounts } from "../accounts/schema";
import { type GovernanceState } from "../governance/present";
import { effectiveStart } from "../media-buys/flight";
import { type AssignedCreative, type PackageRow } from "../media-buys/queries";
import { type Limits } from "../media-buys/sellables";
import { type MediaBuyRow } from "../media-buys/transitions";
import { formatMoney } from "../money";
import { addMs, formatDateTime } from "../time";

/** What is looked at before an order is approved. A block disables Approve and says why; a warning is the publisher's to judge. */
export type ReviewCheck = { name: "budget" | "dates" | "creatives" | "targeting" | "connection" | "advertiser" | "availability" | "currency" | "governance" | "plan"; outcome: "pass" | "warn" | "block"; message: string };

export type ReviewedConnection = {
  connection: Pick<typeof adapterConfigs.$inferSelect, "id" | "kind" | "name" | "mode" | "status" | "currency" | "archivedAt">;
  /** The advertiser that stands for the account there; null: none is chosen. */
  advertiserName: string | null;
};

export type Facts = {
  now: Date;
  timeZone: string;
  isAdvertiserCreationAllowed: boolean;
  buy: MediaBuyRow;
  account: typeof accounts.$inferSelect;
  packages: PackageRow[];
  assigned: AssignedCreative[];
  limits: Limits | undefined;
  /** products.id → what was free at the last sync. */
  availability: ReadonlyMap<string, AvailableDays>;
  connections: ReviewedConnection[];
  previews: PlanPreview[];
  /** null: the order needs no governance agent's agreement. */
  governance: GovernanceState | null;
};

/** Pure. In the order in which the screen shows them. */
export function checkOrder(facts: Facts): ReviewCheck[] {
  const checks = [checkBudget(facts), checkDates(facts), checkCreatives(facts), checkTargeting(facts), checkConnections(facts), checkAdvertisers(facts), checkCurrency(facts), checkAvailability(facts), ...checkGovernance(facts)];
  // Most of what stops a plan has a check of its own, which says it better.
  return checks.some(({ outcome }) => outcome === "block") ? checks : [...checks, ...checkPlans(facts)];
}

const pass = (name: ReviewCheck["name"], message: string): ReviewCheck => ({ name, outcome: "pass", message });
const warn = (name: ReviewCheck["name"], message: string): ReviewCheck => ({ name, outcome: "warn", message });
const block = (name: ReviewCheck["name"], message: string): ReviewCheck => ({ name, outcome: "block", message });

function checkBudget({ packages, limits, buy }: Facts): ReviewCheck {
  const minimum = limits?.minPackageMicros ?? 0n;
  const low = packages.filter((row) => row.budgetMicros < minimum);
  if (low.length > 0) return warn("budget", `${listed(low.map((row) => row.sold.productName))}: below your minimum of ${formatMoney(minimum, buy.currency)} a package.`);
  return pass("budget", `Every package reaches your minimum${minimum > 0n ? ` of ${formatMoney(minimum, buy.currency)}` : ""}.`);
}

function checkDates({ buy, packages, now, timeZone }: Facts): ReviewCheck {
  const over = packages.filter((row) => row.endsAt <= effectiveStart(row.startsAt, now));
  if (over.length > 0) return block("dates", `${listed(over.map((row) => row.sold.productName))}: the flight would be over before it could begin. Ask the buyer for new dates.`);
  const start = effectiveStart(buy.startsAt, now);
  if (start > buy.startsAt) return warn("dates", `The requested start is too soon or past: approved now, the order begins on ${formatDateTime(start, timeZone)}.`);
  return pass("dates", `The flight lies ahead: it begins on ${formatDateTime(buy.startsAt, timeZone)}.`);
}

function checkCreatives({ packages, assigned }: Facts): ReviewCheck {
  const unservable = assigned.flatMap(({ creative, weight }) => {
    try {
      toDesiredCreative(creative, weight);
      return [];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return [error.userMessage];
    }
  });
  const [first] = unservable;
  if (first !== undefined) return block("creatives", `${first}${unservable.length > 1 ? ` And ${unservable.length - 1} more.` : ""} Ask the buyer to send it again.`);
  const refused = assigned.filter(({ creative }) => creative.status === "rejected");
  if (refused.length > 0) return warn("creatives", `${listed(refused.map(({ creative }) => creative.name))}: rejected, will not serve.`);
  const missing = packages.filter((row) => !assigned.some((item) => item.packageId === row.id && item.creative.status === "approved"));
  if (missing.length > 0) return warn("creatives", `${listed(missing.map((row) => row.sold.productName))}: no creative yet. Approved now, the order waits for it.`);
  return pass("creatives", "Every package has creatives that can serve.");
}

/** What an ad server cannot express, in its own words. */
function checkTargeting({ previews, packages }: Facts): ReviewCheck {
  const problems = previews.flatMap((preview) => preview.problems.map((problem) => `${preview.connectionName}: ${problem.message}`));
  const [first] = problems;
  if (first !== undefined) return block("targeting", `${first}${problems.length > 1 ? ` And ${problems.length - 1} more.` : ""}`);
  const held = packages.flatMap((row) => (row.hold && row.canceledAt === null ? [`${row.sold.productName}: ${row.hold.message}`] : []));
  const [why] = held;
  if (why !== undefined) return warn("targeting", `${why}${held.length > 1 ? ` And ${held.length - 1} more.` : ""} Approved now, it stands still until its list leaves room for it.`);
  return pass("targeting", "The ad servers can express everything that was ordered.");
}

function checkConnections({ connections, buy }: Facts): ReviewCheck {
  if (connections.length === 0) return block("connection", "No ad server connection carries this order. Map its products to one.");
  const unfit = connections.filter(({ connection }) => connection.archivedAt !== null || connection.status !== "verified" || (connection.mode === "simulated") !== buy.isSandbox);
  if (unfit.length > 0) {
    const reasons = unfit.map(({ connection }) => `“${connection.name}” ${connection.archivedAt ? "is archived" : connection.status === "verified" ? `is ${connection.mode}, the order is ${buy.isSandbox ? "a sandbox order" : "live"}` : "is not verified"}`);
    return block("connection", `${reasons.join("; ")}.`);
  }
  return pass("connection", `${connections.map(({ connection }) => `“${connection.name}” (${adServerDeclaration(connection.kind).label})`).join(", ")}: verified.`);
}

function checkAdvertisers({ connections, account, isAdvertiserCreationAllowed }: Facts): ReviewCheck {
  if (account.status !== "active") return block("advertiser", `The account ${account.name} is ${account.status.replaceAll("_", " ")}.`);
  const missing = connections.filter(({ advertiserName }) => advertiserName === null).map(({ connection }) => `“${connection.name}”`);
  if (missing.length > 0 && !isAdvertiserCreationAllowed) return block("advertiser", `Choose which advertiser stands for ${account.name} in ${missing.join(", ")} first (Accounts).`);
  if (missing.length > 0) return warn("advertiser", `An advertiser for ${account.name} will be created in ${missing.join(", ")}.`);
  return pass("advertiser", connections.map(({ connection, advertiserName }) => `${advertiserName ?? ""} in “${connection.name}”`).join(", "));
}

function checkCurrency({ connections, buy }: Facts): ReviewCheck {
  const other = connections.filter(({ connection }) => connection.currency !== buy.currency);
  if (other.length > 0) return block("currency", `The order is in ${buy.currency}; ${other.map(({ connection }) => `“${connection.name}” is in ${connection.currency}`).join(", ")}.`);
  return pass("currency", `The order and its connections are in ${buy.currency}.`);
}

/** As of the last sync, by whole days: the ad server itself decides when the order is booked. */
function checkAvailability({ packages, availability, buy, now, timeZone }: Facts): ReviewCheck {
  const sold = packages.filter((row) => row.pricingModel === "cpm").map((row) => {
    const known = availability.get(row.productId);
    const window = { from: dayIn(effectiveStart(row.startsAt, now), timeZone), to: dayIn(addMs(row.endsAt, -1), timeZone) };
    return { row, known, free: known && window.from <= window.to ? availableIn(known, window) : null };
  });
  const short = sold.filter(({ row, free }) => free !== null && row.units > BigInt(free));
  const shown = (units: bigint | number) => units.toLocaleString("en-US");
  if (short.length > 0) {
    return warn("availability", short.map(({ row, known, free }) => `${row.sold.productName}: ${shown(row.units)} impressions are asked for, and ${shown(free ?? 0)} were free as of ${formatDateTime(known?.generatedAt ?? now, timeZone)}.`).join(" "));
  }
  const silent = [...sold.filter(({ free }) => free === null).map(({ row }) => row), ...packages.filter((row) => row.pricingModel !== "cpm")];
  if (silent.length > 0) return warn("availability", `${listed(silent.map((row) => row.sold.productName))}: not known beforehand. The ad server checks it when the order is booked${buy.isSandbox ? "" : ", and you are asked if there is not enough"}.`);
  const [oldest = now] = sold.flatMap(({ known }) => (known ? [known.generatedAt] : [])).sort((a, b) => a.getTime() - b.getTime());
  return pass("availability", `There was room for every package as of ${formatDateTime(oldest, timeZone)}.`);
}

/** A lapsed approval is no approval; the clock has the agents asked again. */
function checkGovernance({ governance, now, timeZone }: Facts): ReviewCheck[] {
  if (!governance) return [];
  const { review, answers } = governance;
  const agents = answers.map(({ url }) => new URL(url).host).join(", ");
  if (review.state !== "approved") return [block("governance", `${agents} has yet to agree to plan ${review.planId}.`)];
  if (review.expiresAt !== null && review.expiresAt <= now) return [block("governance", `The approval of ${agents} ended on ${formatDateTime(review.expiresAt, timeZone)}. It is being asked again; this screen shows its answer.`)];
  const advice = answers.flatMap(({ check }) => [...check.conditions.map(({ reason }) => reason), ...check.findings.map(({ explanation }) => explanation)]);
  const until = review.expiresAt === null ? "" : `, until ${formatDateTime(review.expiresAt, timeZone)}`;
  return [advice.length > 0 ? warn("governance", `${agents} agreed to plan ${review.planId}${until}, and notes: ${advice.join(" ")}`) : pass("governance", `${agents} agreed to plan ${review.planId}${until}.`)];
}

/** How plans say that no advertiser stands for the account. */
const NO_ADVERTISER = "choose_advertiser";

function checkPlans({ previews }: Facts): ReviewCheck[] {
  return previews.flatMap(({ connectionName, plan }) => (plan.outcome === "blocked" && plan.code !== NO_ADVERTISER ? [block("plan", `${connectionName}: ${plan.reason}`)] : []));
}

function listed(names: string[]): string {
  return names.map((name) => `“${name}”`).join(", ");
}
