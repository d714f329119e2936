import { Inngest, type InngestFunction } from "inngest";
import { serve } from "inngest/edge";
import { afterAll, afterEach, beforeAll } from "vitest";
import { z } from "zod";
import { createTestDatabase, type TestDatabase } from "@/test/db";
import { createExecutor, type Executor, type ExecutorOptions } from "@/engine/executor";
import { type EngineLog } from "@/engine/log";
import { migrateEngine } from "@/engine/migrate";
import { MovableClock } from "./clock";

const requestSchema = z.object({
  version: z.number(),
  event: z.looseObject({ id: z.string(), name: z.string() }),
  steps: z.record(z.string(), z.unknown()),
  ctx: z.object({
    run_id: z.string(),
    attempt: z.number(),
    max_attempts: z.number(),
    disable_immediate_execution: z.boolean(),
    stack: z.object({ stack: z.array(z.string()), current: z.number() }),
  }),
});
const opsSchema = z.array(z.looseObject({ op: z.string(), id: z.string(), displayName: z.string().nullish() }));

/** One request of the executor to the SDK, with its answer. */
export type Exchange = { functionId: string; stepId: string; host: string | null; request: z.infer<typeof requestSchema>; status: number; ops: string[]; body: unknown };
export type LogLine = { level: keyof EngineLog; message: string; fields: Record<string, unknown> };

export type Harness = { inngest: Inngest; executor: Executor; clock: MovableClock; exchanges: Exchange[]; lines: LogLine[] };
type Handler = ExecutorOptions["handler"];
/** `wrapHandler` puts a test between executor and SDK. */
export type HarnessOptions = Partial<ExecutorOptions> & { clock?: MovableClock; wrapHandler?: (inner: Handler) => Handler };
export type Define = (inngest: Inngest) => InngestFunction.Like[];

/** A database of its own for the test file, with the executor's tables; executors that a test leaves running are stopped. */
export function useEngineDatabase(): { adminUrl: string; appUrl: string; start(define: Define, options?: HarnessOptions): Promise<Harness> } {
  let made: TestDatabase | undefined;
  const running = new Set<Executor>();
  const database = {
    adminUrl: "",
    appUrl: "",
    async start(define: Define, options: HarnessOptions = {}) {
      const harness = createHarness(database.appUrl, define, options);
      running.add(harness.executor);
      await harness.executor.start();
      return harness;
    },
  };
  beforeAll(async () => {
    made = await createTestDatabase();
    Object.assign(database, { adminUrl: made.adminUrl, appUrl: made.appUrl });
    await migrateEngine(made.adminUrl, decodeURIComponent(new URL(made.appUrl).username));
  });
  afterEach(async () => {
    for (const executor of running) await executor.stop();
    running.clear();
  });
  afterAll(async () => made?.drop());
  return database;
}

export function createHarness(databaseUrl: string, define: Define, { clock = new MovableClock(), wrapHandler = (inner) => inner, ...options }: HarnessOptions = {}): Harness {
  const exchanges: Exchange[] = [];
  const lines: LogLine[] = [];
  const write = (level: keyof EngineLog) => (message: string, fields: Record<string, unknown> = {}) => void lines.push({ level, message, fields });
  const log: EngineLog = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  const executor = createExecutor({
    handler: wrapHandler(async (request) => {
      if (request.method !== "POST") return handler(request);
      const copy = request.clone();
      const response = await handler(request);
      exchanges.push(await readExchange(copy, response.clone()));
      return response;
    }),
    databaseUrl,
    log,
    clock,
    onLockLost: (reason) => log.error(reason),
    retryDelayMs: () => 20,
    ...options,
  });
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const inngest = new Inngest({ id: "app", isDev: true, baseUrl: "http://embedded.invalid", fetch: executor.fetch, logger: quiet });
  const handler = serve({ client: inngest, functions: define(inngest) });
  return { inngest, executor, clock, exchanges, lines };
}

async function readExchange(request: Request, response: Response): Promise<Exchange> {
  const { searchParams } = new URL(request.url);
  const body: unknown = await response.json();
  const ops = opsSchema.safeParse(body);
  return {
    functionId: searchParams.get("fnId") ?? "",
    stepId: searchParams.get("stepId") ?? "",
    host: request.headers.get("host"),
    request: requestSchema.parse(await request.json()),
    status: response.status,
    ops: ops.success ? ops.data.map((op) => `${op.op} ${op.displayName ?? ""}`.trim()) : [],
    body,
  };
}
