import type { ServiceAccount } from "../accounts";
import type { JsonObject } from "../json";
import type { NetworkState } from "../store";

/** `GET /v1/networks`: those that the account may use. */
export function listNetworks(networks: ReadonlyMap<string, NetworkState>, account: ServiceAccount): JsonObject {
  const resources: JsonObject[] = [];
  for (const code of account.networks) {
    const network = networks.get(code);
    if (network) resources.push(network.resource);
  }
  return resources.length === 0 ? {} : { networks: resources };
}
