import { type Tx } from "./db/client";
import { type Log } from "./log";

/** Who acts. Staff roles are read from the database for each request. */
export type Actor =
  | { kind: "user"; userId: string; label: string; role: StaffRole }
  | { kind: "principal"; principalId: string; label: string; isSandbox: boolean }
  | { kind: "system"; label: string };

export type StaffRole = "admin" | "trafficker" | "viewer";

/** What every service function gets first. `db` is a transaction behind this tenant's wall. */
export type Ctx = { db: Tx; tenantId: string; actor: Actor; now: Date; log: Log };
