// A vitest reporter that keeps what failed, for the runner to say again at its end: tests, files that did not load, and errors outside any test.
import { writeFileSync } from "node:fs";

export default class Failures {
  onTestRunEnd(modules, unhandledErrors) {
    const failed = [];
    const first = (errors) => (errors[0]?.stack ?? errors[0]?.message ?? "no error told").split("\n").slice(0, 6).join("\n");
    for (const module of modules) {
      if (module.errors().length > 0) failed.push({ name: module.relativeModuleId, error: first(module.errors()) });
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) failed.push({ name: `${module.relativeModuleId} > ${suite.fullName}`, error: first(suite.errors()) });
      for (const test of module.children.allTests("failed")) failed.push({ name: `${module.relativeModuleId} > ${test.fullName}`, error: first(test.result().errors ?? []) });
    }
    for (const error of unhandledErrors) failed.push({ name: `outside any test${error.VITEST_TEST_PATH ? `, ${error.VITEST_TEST_PATH}` : ""}${error.VITEST_TEST_NAME ? ` > ${error.VITEST_TEST_NAME}` : ""}`, error: first([error]) });
    writeFileSync(".cache/vitest-failures.json", JSON.stringify(failed));
  }
}
