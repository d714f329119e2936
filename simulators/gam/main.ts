import { DEFAULT_AD_UNITS, startGamSimulator } from "./server";

const PARENT_CHECK_MS = 500;

function readInteger(name: string, fallback: number, max: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  console.error(`${name} must be a whole number between 0 and ${max}, not "${text}"`);
  process.exit(1);
}

async function main(): Promise<void> {
  const parent = process.ppid;
  const simulator = await startGamSimulator({
    port: readInteger("SIM_PORT", 3990, 65_535),
    dataDir: process.env["DATA_DIR"] ?? ".data",
    adUnits: readInteger("SIM_AD_UNITS", DEFAULT_AD_UNITS, 50_000),
  });
  console.log(`gam simulator on ${simulator.url}`);
  process.send?.({ type: "listening", port: simulator.port });

  const stop = (): void => {
    simulator.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  if (process.env["EXIT_WITH_PARENT"] === "1") {
    process.once("disconnect", stop);
    setInterval(() => {
      if (process.ppid !== parent) stop();
    }, PARENT_CHECK_MS).unref();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
