import { type Actor } from "../context";
import { type BuyerSession } from "./tool";

/** The buyer as the one who acts, for services and the audit log. */
export function buyerActor(session: BuyerSession): Actor {
  return { kind: "principal", principalId: session.principalId, label: session.principalName, isSandbox: session.isSandbox };
}
