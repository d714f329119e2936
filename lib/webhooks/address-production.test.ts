import { beforeAll, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { failure } from "@/test/staff";
import { checkReceiverUrl, pinAddress, RefusedAddress } from "./address";

useTestDatabase();
beforeAll(() => {
  process.env.DEMO = "0";
});

test.each(["http://127.0.0.1:9000/", "https://127.0.0.1/", "https://localhost/", "https://localhost./", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://2130706433/", "https://0x7f.1/", "https://017700000001/"])("outside demo mode %s is refused", async (url) => {
  expect((await failure((async () => checkReceiverUrl(url, "url"))())).code).toBe("VALIDATION_ERROR");
});

test("nor is a loopback address connected to, should its row have been made in another mode", async () => {
  await expect(pinAddress(new URL("http://127.0.0.1:9000/"), async () => [])).rejects.toThrow(RefusedAddress);
  await expect(pinAddress(new URL("http://localhost:9000/"), async () => ["127.0.0.1"])).rejects.toThrow(RefusedAddress);
});
