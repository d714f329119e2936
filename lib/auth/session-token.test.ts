import { decode, encode } from "next-auth/jwt";
import { beforeAll, expect, test } from "vitest";
import { openSession, SESSION_SECONDS, sealSession, sessionCookieName, sessionCookieOptions } from "./session-token";
import { newId } from "../ids";

const SECRET = "test-secret-of-at-least-32-characters";

beforeAll(() => {
  Object.assign(process.env, { AUTH_SECRET: SECRET, PUBLIC_URL: "https://sales.publisher.example" });
});

test("a sealed session opens again, and holds who and which version, nothing else", async () => {
  const claims = { userId: newId(), sessionVersion: 3 };
  const cookie = await sealSession(claims);
  expect(await openSession(cookie)).toEqual(claims);
  const held = await decode({ token: cookie, secret: SECRET });
  expect(Object.keys(held ?? {}).sort()).toEqual(["exp", "iat", "jti", "sub", "sv"]);
});

test("what was altered, sealed by another secret, expired, or is none opens to nothing", async () => {
  const claims = { sub: newId(), sv: 1 };
  const cookie = await sealSession({ userId: claims.sub, sessionVersion: 1 });
  expect(await openSession(`${cookie.slice(0, -4)}AAAA`)).toBeNull();
  expect(await openSession(await encode({ token: claims, secret: "another-secret-of-at-least-32-characters" }))).toBeNull();
  expect(await openSession(await encode({ token: claims, secret: SECRET, maxAge: -60 }))).toBeNull();
  expect(await openSession(await encode({ token: { sub: "1", sv: 1 }, secret: SECRET }))).toBeNull();
  expect(await openSession(undefined)).toBeNull();
});

test("the cookie is closed to scripts and other sites, and to plain http where the site has https", () => {
  expect(sessionCookieName()).toBe("__Secure-next-auth.session-token");
  expect(sessionCookieOptions()).toEqual({ httpOnly: true, sameSite: "lax", secure: true, path: "/", maxAge: SESSION_SECONDS });
});
