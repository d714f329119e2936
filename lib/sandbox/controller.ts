import { z } from "zod";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { forceArm, noteFixture } from "./fixtures";
import { forceAccountStatus, forceCreativeStatus, forceMediaBuyStatus, forceTaskCompletion, type Moved } from "./force";
import { ControllerProblem } from "./problem";
import { seedCreative, seedMediaBuy } from "./seed-orders";
import { seedPricingOption, seedProduct } from "./seed-products";
import { simulateOrderDelivery, simulateSpend } from "./simulate";

export type ControllerCall = { session: BuyerSession; scenario: string; params: unknown; account: unknown; agentUrl: string; catalogVersion: number; /** What is wrong with a create_media_buy answer, or null. */ findResultProblem: (result: Record<string, unknown>) => string | null };

const name = z.string().min(1).max(255);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const reason = z.string().max(1_000).optional();
const fixture = z.record(z.string(), z.unknown()).default({});

type Run<P> = (ctx: Ctx, call: ControllerCall, params: P) => Promise<Record<string, unknown>>;
type Scenario = (ctx: Ctx, call: ControllerCall) => Promise<Record<string, unknown>>;

/** One scenario: its params, and what it does with them. */
function scenario<P>(schema: z.ZodType<P>, run: Run<P>): Scenario {
  return async (ctx, call) => {
    const parsed = schema.safeParse(call.params ?? {});
    if (parsed.success) return run(ctx, call, parsed.data);
    const [issue] = parsed.error.issues;
    throw new ControllerProblem("INVALID_PARAMS", `${["params", ...(issue?.path ?? [])].join(".")}: ${issue?.message ?? "is not valid"}.`);
  };
}

const moved = ({ previous, current }: Moved) => ({ previous_state: previous, current_state: current });
const seeded = (isNew: boolean) => ({ message: isNew ? "Fixture seeded." : "Fixture seeded before, with the same content." });

/** Sessions are of a protocol that this agent does not speak: force_session_status is no scenario here. */
const SCENARIOS: Record<string, Scenario> = {
  force_creative_status: scenario(z.looseObject({ creative_id: name, status: z.string(), rejection_reason: reason }), async (ctx, { session }, params) =>
    moved(await forceCreativeStatus(ctx, session, { creativeId: params.creative_id, status: params.status, reason: params.rejection_reason ?? null }))),
  force_account_status: scenario(z.looseObject({ account_id: name, status: z.string() }), async (ctx, { session }, params) =>
    moved(await forceAccountStatus(ctx, session, { accountId: params.account_id, status: params.status }))),
  force_media_buy_status: scenario(z.looseObject({ media_buy_id: name, status: z.string(), rejection_reason: reason }), async (ctx, { session }, params) =>
    moved(await forceMediaBuyStatus(ctx, session, { mediaBuyId: params.media_buy_id, status: params.status, reason: params.rejection_reason ?? null }))),
  force_create_media_buy_arm: scenario(
    z.looseObject({ arm: z.literal("submitted", "is `submitted`: orders wait behind a task here, and ask for nothing more"), task_id: name, message: reason }),
    async (ctx, { session }, { task_id: taskId, message }) => {
      await forceArm(ctx, session, { taskId, message: message ?? null });
      return { forced: { arm: "submitted", task_id: taskId }, message: "Your next create_media_buy is answered so." };
    },
  ),
  force_task_completion: scenario(z.looseObject({ task_id: name, result: z.record(z.string(), z.unknown()) }), async (ctx, { session, findResultProblem }, params) => {
    const problem = findResultProblem(params.result);
    if (problem) throw new ControllerProblem("INVALID_PARAMS", `params.result is no answer of create_media_buy: ${problem}`);
    return moved(await forceTaskCompletion(ctx, session, { taskId: params.task_id, result: params.result }));
  }),
  simulate_delivery: scenario(
    z.looseObject({ media_buy_id: name, impressions: count.optional(), clicks: count.optional(), conversions: count.optional(), reported_spend: z.looseObject({ amount: z.number().min(0).max(1e9), currency: z.string() }).optional() }),
    (ctx, { session }, { media_buy_id: mediaBuyId, impressions, clicks, conversions, reported_spend: spend }) => simulateOrderDelivery(ctx, session, { mediaBuyId, impressions, clicks, conversions, spend }),
  ),
  simulate_budget_spend: scenario(
    z.looseObject({ media_buy_id: name.optional(), account_id: name.optional(), spend_percentage: z.number().min(0).max(100) }).refine((params) => params.media_buy_id !== undefined || params.account_id !== undefined, "media_buy_id or account_id is required"),
    (ctx, { session }, params) => simulateSpend(ctx, session, { mediaBuyId: params.media_buy_id, accountId: params.account_id, percentage: params.spend_percentage }),
  ),
  seed_product: scenario(z.looseObject({ product_id: name, fixture }), async (ctx, { session }, params) => seeded(await seedProduct(ctx, session, params.product_id, params.fixture))),
  seed_pricing_option: scenario(z.looseObject({ product_id: name, pricing_option_id: name, fixture }), async (ctx, { session }, params) =>
    seeded(await seedPricingOption(ctx, session, params.product_id, params.pricing_option_id, params.fixture))),
  seed_creative: scenario(z.looseObject({ creative_id: name, fixture }), async (ctx, call, params) =>
    seeded(await seedCreative(ctx, call.session, params.creative_id, { account: call.account, fixture: params.fixture, agentUrl: call.agentUrl }))),
  seed_plan: scenario(z.looseObject({ plan_id: name, fixture }), async (ctx, { session }, params) => seeded(await noteFixture(ctx, session, "plan", params.plan_id, params.fixture))),
  seed_media_buy: scenario(z.looseObject({ media_buy_id: name, fixture }), async (ctx, call, params) =>
    seeded(await seedMediaBuy(ctx, call.session, params.media_buy_id, { account: call.account, fixture: params.fixture, agentUrl: call.agentUrl, catalogVersion: call.catalogVersion }))),
  seed_creative_format: scenario(z.looseObject({ format_id: name, fixture }), async (ctx, { session }, params) => seeded(await noteFixture(ctx, session, "creative_format", params.format_id, params.fixture))),
};

export const SCENARIO_NAMES: readonly string[] = Object.keys(SCENARIOS);

/** One call of comply_test_controller, for a sandbox buyer and that buyer's own rows alone. Throws ControllerProblem; then nothing is to be kept. */
export async function runScenario(ctx: Ctx, call: ControllerCall): Promise<Record<string, unknown>> {
  if (!call.session.isSandbox) throw new ControllerProblem("FORBIDDEN", "The test controller is for sandbox buyers.");
  if (call.scenario === "list_scenarios") return { scenarios: SCENARIO_NAMES };
  const run = Object.hasOwn(SCENARIOS, call.scenario) ? SCENARIOS[call.scenario] : undefined;
  if (!run) throw new ControllerProblem("UNKNOWN_SCENARIO", "This test controller knows no such scenario.");
  try {
    return await run(ctx, call);
  } catch (error) {
    // What a fixture asks for may be refused by the services themselves, in their words.
    if (error instanceof AppError && error.code !== "CONFLICT" && error.code !== "INTERNAL_ERROR") throw new ControllerProblem("INVALID_PARAMS", error.userMessage);
    throw error;
  }
}
