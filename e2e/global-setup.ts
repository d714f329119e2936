import { startStack } from "@/test/stack";

/** One stack for all end-to-end tests: `npm start`, as an operator would. Its addresses travel in the environment. */
export default async function globalSetup(): Promise<() => Promise<void>> {
  const stack = await startStack();
  process.env.E2E_URL = stack.url;
  process.env.E2E_DATA_DIR = stack.dataDir;
  process.env.E2E_SIMULATOR_URL = stack.simulatorUrl;
  return () => stack.stop();
}
