import { AppError } from "../errors";
import { type CREATIVE_STATUSES } from "./schema";

export type CreativeStatus = (typeof CREATIVE_STATUSES)[number];

/** enums/creative-status.json */
export const CREATIVE_MOVES: Record<CreativeStatus, readonly CreativeStatus[]> = {
  processing: ["pending_review", "approved", "rejected", "archived"],
  pending_review: ["approved", "rejected", "archived"],
  approved: ["pending_review", "rejected", "archived"],
  rejected: ["processing", "pending_review", "approved", "archived"],
  archived: [],
};

/** Throws INVALID_STATE unless the table leads from one status to the other. */
export function assertCreativeMove(from: CreativeStatus, to: CreativeStatus): void {
  if (!CREATIVE_MOVES[from].includes(to)) throw new AppError("INVALID_STATE", `A creative that is ${from.replaceAll("_", " ")} cannot become ${to.replaceAll("_", " ")}.`);
}
