import { createPublicKey } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { saveServiceAccount } from "./service-accounts";
import { sendJson, type ApiContext } from "./api";
import { faultSpecSchema } from "./fault-spec";
import { readBody } from "./protocol";
import { showStored } from "./resources/kind";
import { lineItemKind } from "./resources/line-items";
import { orderKind } from "./resources/orders";
import { collections, type Collection } from "./table";
import type { NetworkState } from "./store";

const accountSchema = z.strictObject({
  email: z.string().min(3),
  publicKey: z.string().refine(isRsaPublicKey, "not an RSA public key in PEM"),
  keyId: z.string().optional(),
  networks: z.array(z.string()),
  canApprove: z.boolean().default(true),
});

function isRsaPublicKey(pem: string): boolean {
  try {
    return createPublicKey(pem).asymmetricKeyType === "rsa";
  } catch {
    return false;
  }
}

const clockSchema = z.strictObject({ advanceMs: z.number().int().positive() });

class BadRequest extends Error {
  constructor(message: string, readonly status = 400) {
    super(message);
  }
}

/** Everything below `/__sim`: the operator's side, which no product code calls. */
export async function handleAdmin(context: ApiContext, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  try {
    if (!/^(::ffff:)?127\.|^::1$/.test(request.socket.remoteAddress ?? "")) throw new BadRequest("Loopback only.", 403);
    const text = await readBody(request);
    const answer = answerAdmin(context, `${request.method ?? "GET"} ${url.pathname}`, url.searchParams, text);
    sendJson(response, 200, answer);
  } catch (error) {
    if (error instanceof BadRequest) sendJson(response, error.status, { error: error.message });
    else if (error instanceof z.ZodError) sendJson(response, 400, { error: z.prettifyError(error) });
    else if (error instanceof SyntaxError) sendJson(response, 400, { error: error.message });
    else throw error;
  }
}

function answerAdmin(context: ApiContext, target: string, query: URLSearchParams, text: string): unknown {
  const [, verb = "", kind = "", id] = /^(\w+) \/__sim\/([\w-]+)(?:\/(.+))?$/.exec(target) ?? [];
  switch (`${verb} ${kind}`) {
    case "GET health":
      return { status: "ok", networks: [...context.store.networks.keys()] };
    case "GET faults":
      return { faults: context.faults.list() };
    case "POST faults": {
      const body: unknown = JSON.parse(text);
      return { ids: z.union([z.array(faultSpecSchema), faultSpecSchema.transform((spec) => [spec])]).parse(body).map((spec) => context.faults.add(spec)) };
    }
    case "DELETE faults":
      if (id === undefined) context.faults.clear();
      else if (!context.faults.remove(id)) throw new BadRequest(`No fault ${id}.`, 404);
      return {};
    case "POST clock": {
      context.advance(clockSchema.parse(JSON.parse(text)).advanceMs);
      return { now: context.now().toISOString() };
    }
    case "GET journal":
      return { entries: context.journal.find(readJournalQuery(query)), lastId: context.journal.lastEntryId };
    case "DELETE journal":
      context.journal.clear();
      return {};
    case "GET state":
      return { networks: Object.fromEntries(chooseNetworks(context, query).map((network) => [network.code, showNetwork(context, network, query)])) };
    case "DELETE state":
      for (const { code } of chooseNetworks(context, query)) context.store.reset(code);
      for (const account of context.store.accounts.values()) saveServiceAccount(context.store, account);
      return {};
    case "GET service-accounts":
      return { serviceAccounts: [...context.store.accounts.values()].map(({ keys, ...account }) => ({ ...account, keyIds: keys.map((key) => key.id) })) };
    case "POST service-accounts": {
      const { publicKey, keyId = "default", ...account } = accountSchema.parse(JSON.parse(text));
      for (const code of account.networks) if (!context.store.networks.has(code)) throw new BadRequest(`No network ${code}.`);
      saveServiceAccount(context.store, { ...account, keys: [{ id: keyId, publicKey }], isRevoked: false });
      return {};
    }
    case "DELETE service-accounts": {
      const account = context.store.accounts.get(decodeURIComponent(id ?? ""));
      if (!account) throw new BadRequest("No such service account.", 404);
      context.store.saveAccount({ ...account, isRevoked: true });
      return {};
    }
    default:
      throw new BadRequest(`No such admin endpoint: ${target}`, 404);
  }
}

function readJournalQuery(query: URLSearchParams): { since: number; method: string | undefined; path: RegExp | undefined } {
  const path = query.get("path");
  const since = Number(query.get("since") ?? 0);
  if (!Number.isInteger(since)) throw new BadRequest("since must be the id of an entry.");
  return { since, method: query.get("method")?.toUpperCase(), path: path === null ? undefined : new RegExp(path) };
}

function chooseNetworks(context: ApiContext, query: URLSearchParams): NetworkState[] {
  const code = query.get("network");
  if (code === null) return [...context.store.networks.values()];
  const network = context.store.networks.get(code);
  if (!network) throw new BadRequest(`No network ${code}.`, 404);
  return [network];
}

const renderers: Partial<Record<Collection, typeof orderKind.render>> = { orders: orderKind.render, lineItems: lineItemKind.render };

function showNetwork(context: ApiContext, network: NetworkState, query: URLSearchParams): object {
  const wanted = query.get("collections")?.split(",");
  const now = context.now();
  const rows = collections
    .filter((collection) => wanted?.includes(collection) ?? true)
    .map((collection) => {
      const render = renderers[collection] ?? showStored;
      return [collection, Array.from(network.tables[collection].all(), (row) => render(network, row, now))] as const;
    });
  return { network: network.resource, ...Object.fromEntries(rows) };
}
