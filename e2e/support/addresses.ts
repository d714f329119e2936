/** Addresses of the stack that global-setup started. */
export function stackUrl(): string {
  return need("E2E_URL");
}

export function simulatorUrl(): string {
  return need("E2E_SIMULATOR_URL");
}

/** Where the stack keeps its database and secrets. */
export function dataDir(): string {
  return need("E2E_DATA_DIR");
}

function need(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: e2e/global-setup.ts has not run.`);
  return value;
}
