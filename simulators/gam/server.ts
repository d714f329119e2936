import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
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
const KEEP_ALIVE_MS = 60_000;

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
  const keys = await Promise.all(seedNetworks.map(({ code }) => (directory === undefined ? memoryKey(code) : loadKeyFile(directory, code))));

  const server = createServer({ keepAliveTimeout: 65_000 });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const close = (): Promise<void> => new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
  const port = await listen(server, options.port ?? 0);
  try {
    // Only the owner of the port opens the state: a second simulator on the same folder would spoil it.
    const store = new Store(directory === undefined ? { adUnits } : { directory, adUnits });
    keys.forEach((key, index) => registerKeyFile(store, key, [seedNetworks[index]?.code ?? ""]));
    const context = createContext(store);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      route(context, request, response).catch((error: unknown) => {
        console.error(error);
        response.destroy();
      });
    });
    return {
      url: `http://127.0.0.1:${port}`,
      port,
      close: async () => {
        await close();
        store.close();
      },
      serviceAccountKey: (network) => {
        const key = keys[seedNetworks.findIndex(({ code }) => code === network)];
        if (!key) throw new Error(`The simulator has no network ${network}`);
        return key;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function createContext(store: Store): ApiContext {
  let aheadMs = 0;
  const now = (): Date => new Date(Date.now() + aheadMs);
  const advance = (ms: number): void => {
    aheadMs += ms;
  };
  return { store, authenticator: new Authenticator(store.accounts), faults: new Faults(() => now().getTime()), journal: new Journal(), now, advance };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The simulator listens on no TCP port");
  return address.port;
}

async function route(context: ApiContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (url.pathname.startsWith("/__sim/")) await handleAdmin(context, request, response, url);
  else if (url.pathname.startsWith("/v1/")) await handleApi(context, request, response, url);
  else sendJson(response, 404, { error: { code: 404, message: "Not found.", status: "NOT_FOUND" } });
}
