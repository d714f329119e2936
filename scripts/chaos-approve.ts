import postgres from "postgres";
import { loadReview } from "@/lib/approvals/review";
import { decideMediaBuy } from "@/lib/approvals/service";
import { type Ctx } from "@/lib/context";
import { closeDatabase, withTenant } from "@/lib/db/client";
import { AppError } from "@/lib/errors";
import { log } from "@/lib/log";

/** Approves whatever waits, by the one decision function that the screens call. */
export async function decideAll(appUrl: string, adminUrl: string): Promise<void> {
  process.env.DATABASE_URL = appUrl;
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  const waiting = await admin<{ tenantId: string; stepId: string; mediaBuyId: string; userId: string }[]>`
    select s.tenant_id as "tenantId", s.id as "stepId", s.media_buy_id as "mediaBuyId", (select m.user_id from memberships m where m.tenant_id = s.tenant_id and m.role = 'trafficker') as "userId"
    from workflow_steps s where s.kind = 'media_buy_approval' and s.state = 'requires_approval'`;
  await admin.end();
  for (const { tenantId, stepId, mediaBuyId, userId } of waiting) {
    const decide = () => withTenant(tenantId, async (db) => {
      const ctx: Ctx = { db, tenantId, actor: { kind: "user", userId, label: "chaos", role: "trafficker" }, now: new Date(), log };
      const { shownHash } = await loadReview(ctx, mediaBuyId);
      await decideMediaBuy(ctx, { stepId, decision: "approve", shownHash });
    });
    await decideAgain(decide);
  }
  await closeDatabase();
}

const LOOKS_MAX = 50;

/** Another order of the account may get its advertiser in this moment. A person who is told so looks again, too. */
async function decideAgain(decide: () => Promise<void>, looks = 1): Promise<void> {
  try {
    await decide();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "CONFLICT" || looks >= LOOKS_MAX) throw error;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await decideAgain(decide, looks + 1);
  }
}
