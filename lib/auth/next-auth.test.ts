import { beforeAll, expect, test } from "vitest";
import { createPublisher } from "@/test/fixtures/publisher";
import { createStaff, type StaffFixture } from "@/test/fixtures/staff";
import { useTestDatabase } from "@/test/db";
import { nextAuthOptions } from "./next-auth";

const database = useTestDatabase();
let staff: StaffFixture;
beforeAll(async () => {
  Object.assign(process.env, { GOOGLE_CLIENT_ID: "client", GOOGLE_CLIENT_SECRET: "secret" });
  staff = await createStaff(database.adminUrl, [{ tenantId: (await createPublisher()).tenantId, role: "viewer" }]);
});

function callbacks() {
  const found = nextAuthOptions()?.callbacks;
  if (!found?.signIn || !found.jwt || !found.redirect) throw new Error("no callbacks");
  return { signIn: found.signIn, jwt: found.jwt, redirect: found.redirect };
}

const account = { provider: "google", type: "oauth" as const, providerAccountId: "1" };
const user = { id: "1" };

test("Google lets in verified addresses of staff alone", async () => {
  const { signIn } = callbacks();
  const attempt = (profile: object) => signIn({ user, account, profile });
  expect(await attempt({ email: staff.email, email_verified: true })).toBe(true);
  expect(await attempt({ email: staff.email, email_verified: false })).toBe(false);
  expect(await attempt({ email: "stranger@publisher.example", email_verified: true })).toBe(false);
  expect(await attempt({})).toBe(false);
});

test("the session of a Google sign-in holds the same two facts", async () => {
  const { jwt } = callbacks();
  const token = await jwt({ token: { name: "A", email: staff.email, picture: "x", sub: "google-1" }, user, account, profile: { email: staff.email, email_verified: true } as object });
  expect(token).toEqual({ sub: staff.userId, sv: 1 });
});

test("afterwards people stay on this site", async () => {
  const { redirect } = callbacks();
  const baseUrl = "http://127.0.0.1:3000";
  expect(await redirect({ url: "http://127.0.0.1:3000/p/x?y=1", baseUrl })).toBe("http://127.0.0.1:3000/p/x?y=1");
  expect(await redirect({ url: "/p/x", baseUrl })).toBe("http://127.0.0.1:3000/p/x");
  expect(await redirect({ url: "https://evil.example/p/x", baseUrl })).toBe("http://127.0.0.1:3000/");
  expect(await redirect({ url: "http://127.0.0.1:3000.evil.example/", baseUrl })).toBe("http://127.0.0.1:3000/");
});
