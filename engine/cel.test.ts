import { expect, test } from "vitest";
import { evaluateKey, findCelProblem, holds } from "./cel";

const warnings: string[] = [];
const log = { debug: () => undefined, info: () => undefined, warn: (message: string) => void warnings.push(message), error: () => undefined };
const event = { data: { id: "a", n: 2, nested: { list: [1, 2] }, nothing: null } };
const async_ = { data: { id: "a", n: 3 } };

test.each([
  ["event.data.id == 'a'", true],
  ["event.data.n > 1", true],
  ["event.data.n == 2", true],
  ["1 in event.data.nested.list", true],
  ["event.data.nothing == null", true],
  ["has(event.data.missing)", false],
  ["event.data.missing == 'a'", false],
  ["!(event.data.id == 'a')", false],
  ["event.data.id", false],
])("condition %s", (expression, expected) => expect(holds(expression, { event }, log)).toBe(expected));

test("a match sees the run's event and the one that arrived", () => {
  expect(holds("async.data.id == event.data.id && async.data.n > event.data.n", { event, async: async_ }, log)).toBe(true);
  expect(holds(null, { event, async: async_ }, log)).toBe(true);
});

test("keys are values of any kind; what cannot be computed is undefined, and a mistake is told", () => {
  expect(evaluateKey("event.data.id + '-' + string(event.data.n)", event, log)).toBe("a-2");
  expect(evaluateKey("event.data.n", event, log)).toBe(2);
  expect(evaluateKey("event.data.missing", event, log)).toBeUndefined();
  expect(warnings).toEqual([]);
  expect(evaluateKey("event.data.n + 1", event, log)).toBeUndefined();
  expect(warnings).toHaveLength(1);
});

test("what is no expression, or names something unknown, is found before anything runs", () => {
  expect(findCelProblem("event.data.a == 'x'", "trigger")).toBeNull();
  expect(findCelProblem("event.data.", "trigger")).toMatch(/IDENTIFIER/);
  expect(findCelProblem("evnt.data.a == 'x'", "trigger")).toMatch(/evnt/);
  expect(findCelProblem("async.data.a == 'x'", "trigger")).toMatch(/async/);
  expect(findCelProblem("async.data.a == event.data.a", "match")).toBeNull();
});
