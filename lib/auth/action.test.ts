import { eq } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { createStaff, type StaffFixture } from "@/test/fixtures/staff";
import { mintSessionCookie } from "@/test/session";
import { useTestDatabase } from "@/test/db";
import { withTenant } from "../db/client";
import { AppError } from "../errors";
import { tenants } from "../tenants/schema";
import { adminAction } from "./action";
import { IDLE } from "./action-state";
import { requirePage } from "./page";

/** What Next gives to a request; everything behind it is real. */
const request = vi.hoisted(() => ({ cookies: new Map<string, string>(), headers: new Headers(), refreshes: 0 }));
vi.mock("next/headers", () => ({
  cookies: () => Promise.resolve({ get: (name: string) => (request.cookies.has(name) ? { name, value: request.cookies.get(name) } : undefined) }),
  headers: () => Promise.resolve(request.headers),
}));
vi.mock("next/cache", () => ({ refresh: () => { request.refreshes += 1; } }));

const database = useTestDatabase();
let publisher: PublisherFixture;
let other: PublisherFixture;
let admin: StaffFixture;
let viewer: StaffFixture;
beforeAll(async () => {
  publisher = await createPublisher();
  other = await createPublisher();
  admin = await createStaff(database.adminUrl, [{ tenantId: publisher.tenantId, role: "admin" }], { name: "Ada" });
  viewer = await createStaff(database.adminUrl, [{ tenantId: publisher.tenantId, role: "viewer" }]);
});

async function requestOf(staff: StaffFixture | null, headers: Record<string, string> = { origin: "http://127.0.0.1:3000", host: "127.0.0.1:3000" }): Promise<void> {
  request.cookies.clear();
  if (staff) {
    const cookie = await mintSessionCookie(staff.userId);
    request.cookies.set(cookie.name, cookie.value);
  }
  request.headers = new Headers(headers);
  request.refreshes = 0;
}

const rename = adminAction("settings.edit", z.strictObject({ name: z.string().min(3, "Use at least 3 characters."), password: z.string().optional() }), async (ctx, input) => {
  await ctx.db.update(tenants).set({ name: input.name }).where(eq(tenants.id, ctx.tenantId));
  if (input.name === "taken") throw new AppError("VALIDATION_ERROR", "Somebody else has that name.", { field: "name", suggestion: "Choose another." });
  if (input.name === "overtaken") throw new AppError("CONFLICT", "Grace renamed it meanwhile.", { suggestion: "Reload." });
  if (input.name === "broken") throw new Error("boom: secret detail");
  return { message: `Renamed by ${ctx.actor.label}.` };
});

function form(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries({ publisher: publisher.slug, $ACTION_ID_x: "", ...fields })) data.append(name, value);
  return data;
}

async function nameNow(fixture = publisher): Promise<string | undefined> {
  const [row] = await withTenant(fixture.tenantId, (tx) => tx.select({ name: tenants.name }).from(tenants));
  return row?.name;
}

describe("the door of changes", () => {
  beforeEach(() => requestOf(admin));

  test("who may changes, in the name of the person, and the screen is rendered anew", async () => {
    expect(await rename(IDLE, form({ name: "Northwind" }))).toEqual({ status: "ok", message: "Renamed by Ada." });
    expect(await nameNow()).toBe("Northwind");
    expect(request.refreshes).toBe(1);
    expect(await rename(IDLE, { publisher: publisher.slug, input: { name: "Southwind" } })).toMatchObject({ status: "ok" });
  });

  test("a viewer, a stranger to the publisher, nobody, and another site change nothing", async () => {
    const before = await nameNow();
    await requestOf(viewer);
    expect(await rename(IDLE, form({ name: "by viewer" }))).toMatchObject({ status: "denied" });
    await requestOf(admin);
    expect(await rename(IDLE, form({ name: "elsewhere", publisher: other.slug }))).toMatchObject({ status: "denied" });
    await requestOf(null);
    expect(await rename(IDLE, form({ name: "by nobody" }))).toMatchObject({ status: "denied", message: expect.stringContaining("session") as unknown });
    const foreign: Record<string, string>[] = [{}, { origin: "null" }, { origin: "https://evil.example" }];
    for (const origin of foreign) {
      await requestOf(admin, { host: "127.0.0.1:3000", ...origin });
      expect(await rename(IDLE, form({ name: "forged" }))).toMatchObject({ status: "denied", message: expect.stringContaining("another site") as unknown });
    }
    expect(await nameNow()).toBe(before);
    expect(await nameNow(other)).toBe(other.slug);
  });

  test("wrong input says what is wrong where, and echoes what was typed but no secret", async () => {
    expect(await rename(IDLE, form({ name: "x", password: "hunter2" }))).toEqual({
      status: "invalid", message: expect.any(String) as unknown, fieldErrors: { name: "Use at least 3 characters." }, values: { name: "x" },
    });
  });

  test("what a service refuses is said in its words, and undone", async () => {
    const before = await nameNow();
    expect(await rename(IDLE, form({ name: "taken" }))).toEqual({ status: "invalid", message: "Somebody else has that name. Choose another.", fieldErrors: { name: "Somebody else has that name." }, values: { name: "taken" } });
    expect(await rename(IDLE, form({ name: "overtaken" }))).toMatchObject({ status: "invalid", message: "Grace renamed it meanwhile. The screen shows it as it is now." });
    expect(await nameNow()).toBe(before);
  });

  test("what nobody foresaw is shown as an id, never as its text", async () => {
    const state = await rename(IDLE, form({ name: "broken" }));
    expect(state).toMatchObject({ status: "failed", errorId: expect.stringMatching(/^err_[0-9a-f]{12}$/) as unknown });
    expect(JSON.stringify(state)).not.toContain("boom");
  });
});

describe("the door of pages", () => {
  const digestOf = async (work: Promise<unknown>) => work.then(() => "shown", (error: unknown) => (error instanceof Error && "digest" in error ? String(error.digest) : "other"));

  test("nobody signed in goes to the sign-in page and comes back", async () => {
    await requestOf(null, { "x-greenlight-path": "/p/demo/media-buys?page=2" });
    expect(await digestOf(requirePage(publisher.slug, "media_buy.read"))).toContain(`/sign-in?callbackUrl=${encodeURIComponent("/p/demo/media-buys?page=2")}`);
  });

  test("a foreign publisher is as unknown as one that does not exist", async () => {
    await requestOf(admin);
    const foreign = await digestOf(requirePage(other.slug, "media_buy.read"));
    expect(foreign).toBe("NEXT_HTTP_ERROR_FALLBACK;404");
    expect(await digestOf(requirePage("no-such-publisher", "media_buy.read"))).toBe(foreign);
  });

  test("a role that may not gets the denied page; one that may sees its own tenant's rows", async () => {
    process.env.__NEXT_EXPERIMENTAL_AUTH_INTERRUPTS = "true";
    await requestOf(viewer);
    expect(await digestOf(requirePage(publisher.slug, "settings.edit"))).toBe("NEXT_HTTP_ERROR_FALLBACK;403");
    const page = await requirePage(publisher.slug, "settings.read");
    expect(page.can("settings.edit")).toBe(false);
    expect(await page.run((ctx) => ctx.db.select({ id: tenants.id }).from(tenants))).toEqual([{ id: publisher.tenantId }]);
  });
});
