import { expect, test } from "vitest";
import { parseEnvironment } from "./env";

test("an invalid value is named in one readable line, and never repeated", () => {
  expect(() => parseEnvironment({ PORT: "many", DATABASE_URL: "mysql://root:hunter2@db/x" })).toThrow(/^Configuration is wrong: PORT: .*; DATABASE_URL: [^\n]*$/);
  expect(() => parseEnvironment({ DATABASE_URL: "mysql://root:hunter2@db/x" })).not.toThrow(/hunter2/);
});

test("a port that no client would call is refused at the start, not met as a failed call", () => {
  expect(() => parseEnvironment({ SIM_PORT: "4190" })).toThrow("SIM_PORT: is a port that browsers and HTTP clients refuse to call; choose another");
  expect(parseEnvironment({ SIM_PORT: "4191", PORT: "" })).toMatchObject({ SIM_PORT: 4191, PORT: 3000, publicUrl: "http://127.0.0.1:3000" });
});
