import { expect, test } from "vitest";
import { hashPassword, verifyPassword } from "./passwords";

test("a hash opens with its password alone, and never repeats", async () => {
  const hash = await hashPassword("correct horse");
  expect(await verifyPassword("correct horse", hash)).toBe(true);
  expect(await verifyPassword("Correct horse", hash)).toBe(false);
  expect(await hashPassword("correct horse")).not.toBe(hash);
  expect(hash).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
});

test("an accented letter is the same letter, however it was typed", async () => {
  expect(await verifyPassword("cafe\u0301", await hashPassword("caf\u00e9"))).toBe(true);
});

test("no hash, or one that is none, opens with nothing", async () => {
  for (const stored of [null, "", "plain", "scrypt$32768$8$3$$"]) expect(await verifyPassword("", stored)).toBe(false);
});
