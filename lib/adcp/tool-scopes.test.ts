import { and, eq } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asObject, callMcp, callRest, errorCode } from "@/test/fixtures/door";
import { createPublisher, mapHost, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff } from "@/test/staff";
import { waitFor } from "@/test/wait";
import { flushUses, noteUse } from "../buyers/last-use";
import { loadPrincipal } from "../buyers/queries";
import { hasScope, SCOPES } from "../buyers/scopes";
import { principalTokens } from "../buyers/schema";
import { issueToken } from "../buyers/token-service";
import { hashToken } from "../buyers/tokens";
import { withTenant } from "../db/client";
import { TOOLS } from "./registry";
import { assertScope, TOOL_SCOPES } from "./tool-scopes";

const database = useTestDatabase();
let publisher: PublisherFixture;
let other: PublisherFixture;
beforeAll(async () => {
  publisher = await createPublisher();
  other = await createPublisher();
  await mapHost(database.adminUrl, publisher.tenantId, "sales.first.example");
});

const issue = async (scopes: string[]) => (await asStaff(publisher.tenantId, "admin", (ctx) => issueToken(ctx, { principalId: publisher.principal.id, name: "", scopes, expiresAt: null }))).token;

describe("what a token may do", () => {
  test("is said for every tool, under every name it answers by, in terms that staff can choose", () => {
    expect(TOOLS.map(({ name }) => name).filter((name) => !Object.hasOwn(TOOL_SCOPES, name))).toEqual([]);
    const used = new Set(Object.values(TOOL_SCOPES).filter((scope) => scope !== null));
    expect([...used].sort()).toEqual(Object.keys(SCOPES).sort());
  });

  test("is what its permissions name, at both doors, and nothing else", async () => {
    const visible = TOOLS.filter(({ isVisible }) => isVisible === undefined);
    for (const scope of ["orders:read", "products:read", "accounts:write"] as const) {
      const token = await issue([scope]);
      for (const tool of visible) {
        const isAllowed = TOOL_SCOPES[tool.name] === null || TOOL_SCOPES[tool.name] === scope;
        for (const call of [callMcp, callRest]) {
          const answer = await call(tool.name, { context: { a: 1 } }, { token });
          const isDenied = answer.isError && errorCode(answer) === "PERMISSION_DENIED";
          expect([scope, tool.name, isDenied]).toEqual([scope, tool.name, !isAllowed]);
          if (isDenied) expect([answer.body.context, asObject(asObject(answer.body.adcp_error).details).required_scope]).toEqual([{ a: 1 }, TOOL_SCOPES[tool.name]]);
        }
      }
    }
  });

  test("an alias of a tool opens no other way around", async () => {
    const token = await issue(["products:read"]);
    for (const { name, aliases } of TOOLS) for (const alias of aliases ?? []) if (TOOL_SCOPES[name] === "orders:read") expect(errorCode(await callMcp(alias, {}, { token }))).toBe("PERMISSION_DENIED");
  });

  test("fails closed: unknown permissions grant nothing, and an unlisted tool answers to unlimited tokens only", () => {
    const session = (scopes: string[]) => ({ ...publisher.session, scopes });
    expect(hasScope(["orders:*", "ORDERS:READ", "orders"], "orders:read")).toBe(false);
    expect(() => assertScope(session(["orders:read"]), "launch_rocket")).toThrow("PERMISSION_DENIED");
    expect(() => assertScope(session(["constructor"]), "constructor")).toThrow("PERMISSION_DENIED");
    expect(() => assertScope(session(["*"]), "get_media_buys")).not.toThrow();
    expect(() => assertScope(session([]), "get_media_buys")).not.toThrow();
  });
});

test("another publisher's token is nobody's at a mapped host, byte for byte like one that never existed", async () => {
  const place = { host: "sales.first.example" };
  const foreign = await callRest("list_accounts", {}, { ...place, token: other.token });
  const unknown = await callRest("list_accounts", {}, { ...place, token: "gl_never-existed" });
  expect([foreign.status, JSON.stringify(foreign.body)]).toEqual([401, JSON.stringify(unknown.body)]);
  expect((await callRest("list_accounts", {}, { ...place, token: publisher.token })).status).toBe(200);
});

test("a token's last use is noted after the answer, once a minute", async () => {
  const token = await issue(["*"]);
  const lastUse = async () => (await asStaff(publisher.tenantId, "viewer", (ctx) => loadPrincipal(ctx, publisher.principal.id))).tokens.find(({ prefix }) => token.startsWith(prefix))?.lastUsedAt;
  const [row] = await withTenant(publisher.tenantId, (tx) => tx.select({ id: principalTokens.id }).from(principalTokens).where(and(eq(principalTokens.tenantId, publisher.tenantId), eq(principalTokens.tokenHash, hashToken(token)))));
  // An id alone moves nothing: another publisher's is not this one.
  noteUse(other.tenantId, [row?.id ?? ""], Date.now() - 10 * 60_000);
  await flushUses();
  expect(await lastUse()).toBeNull();
  await callRest("list_accounts", {}, { token });
  await flushUses();
  const first = await waitFor("the use to be noted", lastUse);
  await callRest("list_accounts", {}, { token });
  await flushUses();
  expect(await lastUse()).toEqual(first);
});
