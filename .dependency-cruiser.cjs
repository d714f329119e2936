// The import directions of the architecture (docs/decisions). Each rule has a planted violation in test/import-rules.test.ts.
const DRIVERS = "^lib/ad-servers/(drivers\\.ts|[^/]+/(driver|client)\\.ts|[^/]+/execute/)";
const REQUEST_LAYER = "^(server\\.ts|app/|components/|lib/(adcp|media-buys|approvals|products|accounts|creatives|buyers|properties|tenants|auth|http|audit)/)";

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "request-layer-reaches-no-driver",
      comment: "No path from a buyer's request, or from a click of staff, to an ad server's socket.",
      severity: "error",
      from: { path: REQUEST_LAYER },
      to: { path: DRIVERS, reachable: true },
    },
    {
      name: "declarations-are-pure",
      comment: "declare.ts and plan.ts are imported everywhere: they may not reach the network or authentication.",
      severity: "error",
      from: { path: "^lib/ad-servers/[^/]+/(declare|plan)\\.ts$" },
      to: { path: "^(node:)?(net|http|https|http2|tls|dns|child_process|worker_threads)(/|$)|node_modules/(google-auth-library|undici|axios)/|^lib/(db/client|env)\\.ts$", reachable: true },
    },
    {
      name: "drivers-belong-to-the-worker",
      comment: "worker → functions → fulfilment, sync-jobs → drivers. Nobody else.",
      severity: "error",
      from: { pathNot: "^(lib/ad-servers/|lib/fulfilment/|lib/sync-jobs/|lib/inventory/|inngest/|worker\\.ts)|\\.test\\.ts$" },
      to: { path: DRIVERS },
    },
    {
      name: "lib-is-below",
      comment: "lib knows nothing of screens, functions, the executor or the entry points.",
      severity: "error",
      from: { path: "^lib/", pathNot: "\\.test\\.tsx?$" },
      to: { path: "^(app|components|inngest|engine|scripts|server\\.ts|worker\\.ts)(/|$)" },
    },
    {
      name: "components-take-data-as-props",
      comment: "Components use types and pure helpers; queries and services belong to pages and actions.",
      severity: "error",
      from: { path: "^components/" },
      to: { path: "^lib/(db|env\\.ts|crypto\\.ts|[^/]+/(service|queries|create|update)\\.ts)", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "product-knows-no-tests",
      comment: "Simulators, benchmarks and tests are never imported by the product.",
      severity: "error",
      from: { path: "^(app|components|lib|inngest|engine|server\\.ts|worker\\.ts)(/|$)", pathNot: "\\.test\\.tsx?$" },
      to: { path: "^(simulators|bench|test|e2e)/" },
    },
    {
      name: "simulators-know-no-product",
      comment: "A simulator that shares code with the client would agree with its mistakes.",
      severity: "error",
      from: { path: "^simulators/", pathNot: "\\.test\\.ts$" },
      to: { path: "^(app|components|lib|inngest|engine|scripts)/" },
    },
    {
      name: "no-circles",
      severity: "error",
      from: { path: "^(lib|inngest|engine|components)/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"], extensions: [".ts", ".tsx", ".mjs", ".js", ".json"] },
  },
};
