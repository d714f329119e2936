import type { ServiceAccount } from "./accounts";
import type { CallFaults } from "./faults";
import type { Json, JsonObject } from "./json";
import type { ResponseMask } from "./masks";
import type { NetworkState, Transaction } from "./store";
import type { Row } from "./table";

/** One authenticated request to one network. */
export interface Call {
  network: NetworkState;
  account: ServiceAccount;
  now: Date;
  transaction: Transaction;
  faults: CallFaults;
  /** The variable segments of the path after the network code. */
  ids: readonly string[];
  query: ReadonlyMap<string, string>;
  body: Json | undefined;
  responseMask: ResponseMask | undefined;
  /** Names of the rows created so far, for the journal. */
  created: string[];
}

export type Handler = (call: Call) => JsonObject;

export function parentOf(call: Call): string {
  return `networks/${call.network.code}`;
}

export function isVisible(row: Row, now: Date): boolean {
  return row.hidden.visibleAt === undefined || row.hidden.visibleAt <= now.getTime();
}
