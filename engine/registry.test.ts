import { type Inngest } from "inngest";
import { expect, test } from "vitest";
import { createHarness, type Define } from "@/test/engine/harness";
import { readRegistration } from "./registry";

/** Registration happens before the executor looks at any database. */
const start = (define: Define) => createHarness("postgres://nobody@127.0.0.1:1/none", define).executor.start();
const handler = async () => undefined;
const triggers = [{ event: "demo/x" }];

const refused: [string, RegExp, (inngest: Inngest) => ReturnType<Define>[number]][] = [
  ["throttle", /"app-fn": throttle is not supported/, (client) => client.createFunction({ id: "fn", triggers, throttle: { limit: 1, period: "1m" } }, handler)],
  ["debounce", /"app-fn": debounce is not supported/, (client) => client.createFunction({ id: "fn", triggers, debounce: { period: "5s" } }, handler)],
  ["batchEvents", /"app-fn": batchEvents is not supported/, (client) => client.createFunction({ id: "fn", triggers, batchEvents: { maxSize: 2, timeout: "1s" } }, handler)],
  ["rateLimit", /"app-fn": rateLimit is not supported/, (client) => client.createFunction({ id: "fn", triggers, rateLimit: { limit: 1, period: "1h" } }, handler)],
  ["singleton", /"app-fn": singleton is not supported/, (client) => client.createFunction({ id: "fn", triggers, singleton: { mode: "skip" } }, handler)],
  ["priority", /"app-fn": priority is not supported/, (client) => client.createFunction({ id: "fn", triggers, priority: { run: "1" } }, handler)],
  ["timeouts", /"app-fn": timeouts is not supported/, (client) => client.createFunction({ id: "fn", triggers, timeouts: { finish: "1h" } }, handler)],
  ["cron jitter", /"app-fn": cron jitter is not supported/, (client) => client.createFunction({ id: "fn", triggers: [{ cron: "0 * * * *", jitter: "30s" }] }, handler)],
  ["a wildcard trigger", /"app-fn": the wildcard trigger "demo\/\*" is not supported/, (client) => client.createFunction({ id: "fn", triggers: [{ event: "demo/*" }] }, handler)],
  ["an internal event that is not emitted", /the trigger "inngest\/function.finished" is not supported/, (client) => client.createFunction({ id: "fn", triggers: [{ event: "inngest/function.finished" }] }, handler)],
  ["a schedule that is none", /cron "\* \* \* \* \* \*" is no valid schedule/, (client) => client.createFunction({ id: "fn", triggers: [{ cron: "* * * * * *" }] }, handler)],
  ["a trigger condition that is none", /trigger condition "event.data." is no valid expression/, (client) => client.createFunction({ id: "fn", triggers: [{ event: "demo/x", if: "event.data." }] }, handler)],
  ["a concurrency key that is none", /concurrency key "evnt.data.a" is no valid expression/, (client) => client.createFunction({ id: "fn", triggers, concurrency: { limit: 1, key: "evnt.data.a" } }, handler)],
  ["an idempotency key that is none", /idempotency "event." is no valid expression/, (client) => client.createFunction({ id: "fn", triggers, idempotency: "event." }, handler)],
  ["a cancel condition that is none", /cancelOn condition "other.data.a" is no valid expression/, (client) => client.createFunction({ id: "fn", triggers, cancelOn: [{ event: "demo/y", if: "other.data.a" }] }, handler)],
  ["no room at all", /concurrency limit 0 is no positive whole number/, (client) => client.createFunction({ id: "fn", triggers, concurrency: 0 }, handler)],
];

test.each(refused)("refuses %s at registration, by name", async (_feature, message, define) => {
  await expect(start((client) => [define(client)])).rejects.toThrow(message);
});

test("names every function and feature at once", async () => {
  const define: Define = (client) => [
    client.createFunction({ id: "one", triggers, throttle: { limit: 1, period: "1m" }, singleton: { mode: "skip" } }, handler),
    client.createFunction({ id: "two", triggers, debounce: { period: "5s" } }, handler),
  ];
  await expect(start(define)).rejects.toThrow(/"app-one": throttle.*"app-one": singleton.*"app-two": debounce/);
});

test("refuses connect, and whatever a later SDK may add", () => {
  const fn = (more: object, type = "http") => ({ functions: [{ id: "app-fn", triggers: [], steps: { step: { id: "step", name: "step", runtime: { type, url: "" } } }, ...more }] });
  expect(() => readRegistration(fn({}, "ws"))).toThrow(/"app-fn": connect is not supported/);
  expect(() => readRegistration(fn({ teleport: { to: "moon" } }))).toThrow(/"app-fn": teleport is not supported/);
  expect([...readRegistration(fn({ throttle: null })).keys()]).toEqual(["app-fn"]);
});
