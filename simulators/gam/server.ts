import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import path from "node:path";
import { handleAdmin } from "./admin";
import { handleApi, sendJson, type ApiContext } from "./api";
import { Authenticator } from "./auth";
import { Faults } from "./faults";
import { Journal } from "./journal";
import { generateKeyFile, loadKeyFile, type KeyFile } from "./keys";
import { seedNetworks } from "./seed";
import { registerKeyFile } from "./service-accounts";
import { Store } from "./store";

/** Ad units in each seeded network: a root, eight sections and their slots. */
export const DEFAULT_AD_UNITS = 43;
const MAX_AD_UNITS = 50_000;

export interface SimulatorOptions {
  /** 0, the default, takes a free port. */
  port?: number;
  /** State and keys go into `<dataDir>/gam-sim`; not needed with `inMemory`. */
  dataDir?: string;
  adUnits?: number;
  inMemory?: boolean;
}

export interface Simulator {
  url: string;
  port: number;
  close: () => Promise<void>;
  /** The key file of the network's own service account. */
  serviceAccountKey: (network: string) => KeyFile;
}

/** Keys for simulators that keep nothing: making one takes a while, so a process makes each once. */
const memoryKeys = new Map<string, Promise<KeyFile>>();

function memoryKey(network: string): Promise<KeyFile> {
  const key = memoryKeys.get(network) ?? generateKeyFile(network);
  memoryKeys.set(network, key);
  return key;
}

export async function startGamSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const directory = options.inMemory === true ? undefined : path.resolve(options.dataDir ?? ".data", "gam-sim");
  const adUnits = Math.min(Math.max(options.adUnits ?? DEFAULT_AD_UNITS, 1), MAX_AD_UNITS);
  const store = new Store(directory === undefined ? { adUnits } : { directory, adUnits });
  const keys = await Promise.all(seedNetworks.map(({ code }) => (directory === undefined ? memoryKey(code) : loadKeyFile(directory, code))));
  keys.forEach((key, index) => registerKeyFile(store, key, [seedNetworks[index]?.code ?? ""]));

  const now = (): Date => new Date();
  const context: ApiContext = {
    store,
    authenticator: new Authenticator(store.accounts),
    faults: new Faults(() => now().getTime()),
    journal: new Journal(),
    now,
  };
  const server = createServer((request, response) => {
    route(context, request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The simulator listens on no TCP port");
  const { port } = address;

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      store.close();
    },
    serviceAccountKey: (network) => {
      const key = keys[seedNetworks.findIndex(({ code }) => code === network)];
      if (!key) throw new Error(`The simulator has no network ${network}`);
      return key;
    },
  };
}

async function route(context: ApiContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (url.pathname.startsWith("/__sim/")) await handleAdmin(context, request, response, url);
  else if (url.pathname.startsWith("/v1/")) await handleApi(context, request, response, url);
  else sendJson(response, 404, { error: { code: 404, message: "Not found.", status: "NOT_FOUND" } });
}
