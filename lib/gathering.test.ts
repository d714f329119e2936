import { expect, test } from "vitest";
import { gathering } from "./gathering";

/** Asks that wait until they are let go, with what each was asked. */
function makeAsk() {
  const asked: { questions: number[]; answer: (answers?: string[]) => void; fail: (error: Error) => void }[] = [];
  const ask = (questions: number[]) => new Promise<string[]>((resolve, reject) => asked.push({ questions, answer: (answers = questions.map((n) => `a${n}`)) => resolve(answers), fail: reject }));
  return { asked, ask: gathering(ask) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("the first question is asked at once, what comes meanwhile together", async () => {
  const { asked, ask } = makeAsk();
  const first = ask(1);
  expect(asked.map(({ questions }) => questions)).toEqual([[1]]);
  const others = Promise.all([ask(2), ask(3)]);
  asked[0]?.answer();
  expect(await first).toBe("a1");
  await turn();
  expect(asked.map(({ questions }) => questions)).toEqual([[1], [2, 3]]);
  asked[1]?.answer();
  expect(await others).toEqual(["a2", "a3"]);
});

test("a failure is that of those who were asked together, and the next are asked", async () => {
  const { asked, ask } = makeAsk();
  const first = ask(1);
  const second = ask(2);
  asked[0]?.fail(new Error("gone"));
  await expect(first).rejects.toThrow("gone");
  await turn();
  asked[1]?.answer();
  expect(await second).toBe("a2");
  const third = ask(3);
  asked[2]?.answer();
  expect(await third).toBe("a3");
});

test("too few answers are a mistake, not somebody else's answer", async () => {
  const { asked, ask } = makeAsk();
  const first = ask(1);
  const rest = Promise.allSettled([ask(2), ask(3)]);
  asked[0]?.answer();
  await first;
  await turn();
  asked[1]?.answer(["a2"]);
  expect((await rest).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});

test("at most 64 go together", async () => {
  const { asked, ask } = makeAsk();
  const all = Promise.all(Array.from({ length: 70 }, (_, n) => ask(n)));
  for (let index = 0; index < 3; index += 1) {
    await turn();
    asked[index]?.answer();
  }
  expect(await all).toHaveLength(70);
  expect(asked.map(({ questions }) => questions.length)).toEqual([1, 64, 5]);
});
