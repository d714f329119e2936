import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { canonicalJson } from "../adcp/canonical-json";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { compiled, type Tx } from "../db/client";
import { type ForcedArm } from "../media-buys/create";
import { ControllerProblem } from "./problem";
import { type FixtureKind, sandboxFixtures } from "./schema";

/** Fixtures of one kind that one buyer may have: what a test suite needs many times over, and no way to fill the database. */
const FIXTURES_MAX = 1_000;

function own(tenantId: string, principalId: string, kind: FixtureKind) {
  return and(eq(sandboxFixtures.tenantId, tenantId), eq(sandboxFixtures.principalId, principalId), eq(sandboxFixtures.kind, kind));
}

/** Notes a fixture. False when the same one is there already; throws INVALID_PARAMS when one with other content is. */
export async function noteFixture(ctx: Ctx, session: BuyerSession, kind: FixtureKind, key: string, content: Record<string, unknown>): Promise<boolean> {
  const [made] = await ctx.db.insert(sandboxFixtures)
    .values({ tenantId: ctx.tenantId, principalId: session.principalId, kind, key, content, createdAt: ctx.now })
    .onConflictDoNothing().returning({ key: sandboxFixtures.key });
  if (made) {
    if ((await ctx.db.$count(sandboxFixtures, own(ctx.tenantId, session.principalId, kind))) > FIXTURES_MAX) throw new ControllerProblem("INVALID_STATE", `A buyer has at most ${FIXTURES_MAX} fixtures of a kind.`);
    return true;
  }
  const [known] = await ctx.db.select({ content: sandboxFixtures.content }).from(sandboxFixtures).where(and(own(ctx.tenantId, session.principalId, kind), eq(sandboxFixtures.key, key)));
  const differing = known ? [...new Set([...Object.keys(known.content), ...Object.keys(content)])].filter((field) => canonicalJson([known.content[field]]) !== canonicalJson([content[field]])) : [];
  if (differing.length > 0) throw new ControllerProblem("INVALID_PARAMS", `This id was seeded before with another fixture: ${differing.slice(0, 10).join(", ")} differ. Send the same one, or choose another id.`);
  return false;
}

export async function listFixtures(db: Tx, { tenantId, principalId }: BuyerSession, kind: FixtureKind): Promise<{ key: string; content: Record<string, unknown> }[]> {
  return db.select({ key: sandboxFixtures.key, content: sandboxFixtures.content }).from(sandboxFixtures).where(own(tenantId, principalId, kind)).orderBy(sandboxFixtures.createdAt, sandboxFixtures.key);
}

const ARM_KEY = "next";
const forcedArm = z.object({ taskId: z.string(), message: z.string().nullable() });

/** How this buyer's next create_media_buy is to be answered. The latest word stands. */
export async function forceArm(ctx: Ctx, session: BuyerSession, arm: ForcedArm): Promise<void> {
  const values = { tenantId: ctx.tenantId, principalId: session.principalId, kind: "create_media_buy_arm" as const, key: ARM_KEY, content: { ...arm }, createdAt: ctx.now };
  await ctx.db.insert(sandboxFixtures).values(values)
    .onConflictDoUpdate({ target: [sandboxFixtures.tenantId, sandboxFixtures.principalId, sandboxFixtures.kind, sandboxFixtures.key], set: { content: { ...arm }, createdAt: ctx.now } });
}

const deleteArm = compiled((db) => db.delete(sandboxFixtures).where(and(
  eq(sandboxFixtures.tenantId, sql.placeholder("tenantId")), eq(sandboxFixtures.principalId, sql.placeholder("principalId")), eq(sandboxFixtures.kind, "create_media_buy_arm"), eq(sandboxFixtures.key, ARM_KEY),
)).returning({ content: sandboxFixtures.content }));

/** Takes that word back, once. null when there is none, as for every buyer outside the sandbox. */
export async function takeForcedArm(ctx: Pick<Ctx, "db" | "tenantId">, session: BuyerSession): Promise<ForcedArm | null> {
  if (!session.isSandbox) return null;
  const [taken] = await deleteArm(ctx.db, { tenantId: ctx.tenantId, principalId: session.principalId });
  return taken ? forcedArm.parse(taken.content) : null;
}
