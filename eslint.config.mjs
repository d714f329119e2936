import next from "@next/eslint-plugin-next";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/", ".next/", ".data/", ".cache/", "drizzle/", "next-env.d.ts", "test-results/", "playwright-report/"] },
  ...tseslint.configs.recommended,
  {
    files: ["**/*.ts", "**/*.tsx"],
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true }],
      "no-console": "error",
    },
  },
  {
    files: ["scripts/**", "bench/**", "conformance/**", "simulators/**", "e2e/**", "test/**", "server.ts", "worker.ts", "**/*.test.ts"],
    rules: { "no-console": "off" },
  },
  {
    // Only lib/env.ts reads the environment: one place that parses it and says what is wrong.
    files: ["app/**", "components/**", "lib/**", "inngest/**", "engine/**", "server.ts", "worker.ts"],
    ignores: ["lib/env.ts", "**/*.test.ts"],
    rules: { "no-restricted-properties": ["error", { object: "process", property: "env", message: "Read configuration through lib/env.ts." }] },
  },
  {
    files: ["app/**/*.tsx", "components/**/*.tsx"],
    plugins: { "@next/next": next, "jsx-a11y": jsxA11y, "react-hooks": reactHooks },
    rules: {
      ...next.configs.recommended.rules,
      ...next.configs["core-web-vitals"].rules,
      ...jsxA11y.flatConfigs.recommended.rules,
      ...reactHooks.configs.recommended.rules,
    },
  },
);
