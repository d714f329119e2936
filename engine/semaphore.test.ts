import { setMaxListeners } from "node:events";
import { expect, test } from "vitest";
import { KeyedSemaphore } from "./semaphore";

const never = new AbortController().signal;
setMaxListeners(0, never);
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("holds each key to its limit, and serves in order", async () => {
  const semaphore = new KeyedSemaphore();
  const order: string[] = [];
  const releases: (() => void)[] = [];
  const enter = (name: string, key: string) =>
    semaphore.acquire([{ key, limit: 2 }], never).then((release) => {
      order.push(name);
      if (release) releases.push(release);
    });
  for (const name of ["a1", "a2", "a3", "a4"]) void enter(name, "a");
  void enter("b1", "b");
  await settle();
  expect(order).toEqual(["a1", "a2", "b1"]);
  releases.shift()?.();
  await settle();
  expect(order).toEqual(["a1", "a2", "b1", "a3"]);
  for (const release of releases.splice(0)) release();
  await settle();
  expect(order).toEqual(["a1", "a2", "b1", "a3", "a4"]);
});

test("two keys are taken together, so that two callers never hold half of what the other needs", async () => {
  const semaphore = new KeyedSemaphore();
  const first = await semaphore.acquire([{ key: "a", limit: 1 }, { key: "b", limit: 1 }], never);
  let isSecondIn = false;
  const second = semaphore.acquire([{ key: "b", limit: 1 }, { key: "a", limit: 1 }], never).then((release) => {
    isSecondIn = true;
    return release;
  });
  await settle();
  expect(isSecondIn).toBe(false);
  first?.();
  expect(await second).toBeTypeOf("function");
});

test("a release counts once", async () => {
  const semaphore = new KeyedSemaphore();
  const first = await semaphore.acquire([{ key: "a", limit: 1 }], never);
  first?.();
  first?.();
  await semaphore.acquire([{ key: "a", limit: 1 }], never);
  let isThirdIn = false;
  void semaphore.acquire([{ key: "a", limit: 1 }], never).then(() => (isThirdIn = true));
  await settle();
  expect(isThirdIn).toBe(false);
});

test("whoever gives up leaves the queue", async () => {
  const semaphore = new KeyedSemaphore();
  const held = await semaphore.acquire([{ key: "a", limit: 1 }], never);
  const abort = new AbortController();
  const waiting = semaphore.acquire([{ key: "a", limit: 1 }], abort.signal);
  abort.abort();
  expect(await waiting).toBeUndefined();
  held?.();
  expect(await semaphore.acquire([{ key: "a", limit: 1 }], never)).toBeTypeOf("function");
});

test("never more than the limit under load", async () => {
  const semaphore = new KeyedSemaphore();
  const inside = new Map<string, number>();
  let most = 0;
  await Promise.all(
    Array.from({ length: 300 }, async (_, index) => {
      const key = `k${index % 3}`;
      const release = await semaphore.acquire([{ key, limit: 4 }, { key: "all", limit: 10 }], never);
      inside.set(key, (inside.get(key) ?? 0) + 1);
      most = Math.max(most, inside.get(key) ?? 0);
      await settle();
      inside.set(key, (inside.get(key) ?? 0) - 1);
      release?.();
    }),
  );
  expect(most).toBe(4);
});
