import { serve } from "inngest/edge";
import { createExecutor } from "@/engine/executor";
import { log } from "@/lib/log";
import { type Background, sendEvents } from "./background";
import { createInngest } from "./client";
import { createFunctions, type FunctionNeeds } from "./functions";

type Options = {
  needs: Omit<FunctionNeeds, "purgeEngine">;
  databaseUrl: string;
  /** The process must exit at once: another may run the functions from now on. */
  onLockLost(reason: string): void;
};

/** The executor of this installation, inside this process: no port, nothing to sign. */
export function createEmbeddedBackground({ needs, databaseUrl, onLockLost }: Options): Background {
  // The handler needs the client, the client the executor's fetch, the executor the handler.
  const executor = createExecutor({ handler: (request) => handler(request), databaseUrl, log: log.child({ part: "executor" }), onLockLost });
  const client = createInngest({ fetch: (input, init) => executor.fetch(input, init) });
  const handler = serve({ client, functions: createFunctions(client, { ...needs, purgeEngine: (days) => executor.purge(days) }) });
  return {
    start: () => executor.start(),
    stop: () => executor.stop(),
    send: (events) => sendEvents(client, events),
    status: () => ({ target: "embedded", ...executor.status() }),
  };
}
