import { type Actor, type StaffRole } from "../context";
import { AppError } from "../errors";

/** Everything staff can do, with the roles that may. Unknown roles may nothing. */
export const PERMISSIONS = {
  "media_buy.read": ["admin", "trafficker", "viewer"],
  "media_buy.decide": ["admin", "trafficker"],
  "media_buy.retry": ["admin", "trafficker"],
  "creative.read": ["admin", "trafficker", "viewer"],
  "creative.review": ["admin", "trafficker"],
  "product.read": ["admin", "trafficker", "viewer"],
  "product.edit": ["admin", "trafficker"],
  "connection.read": ["admin", "trafficker", "viewer"],
  "connection.edit": ["admin"],
  "inventory.sync": ["admin", "trafficker"],
  "account.read": ["admin", "trafficker", "viewer"],
  "account.decide": ["admin"],
  "account.map_advertiser": ["admin", "trafficker"],
  "buyer.read": ["admin", "trafficker", "viewer"],
  "buyer.edit": ["admin"],
  "webhook.replay": ["admin", "trafficker"],
  "staff.read": ["admin"],
  "staff.edit": ["admin"],
  "audit.read": ["admin"],
  "settings.read": ["admin", "trafficker", "viewer"],
  "settings.edit": ["admin"],
} as const satisfies Record<string, readonly StaffRole[]>;

export type Permission = keyof typeof PERMISSIONS;

export function hasPermission(role: StaffRole, permission: Permission): boolean {
  return (PERMISSIONS[permission] as readonly StaffRole[]).includes(role);
}

/** Services call this first. A buyer never passes; the system does. Throws PERMISSION_DENIED. */
export function requirePermission(actor: Actor, permission: Permission): void {
  if (actor.kind === "system") return;
  if (actor.kind === "user" && hasPermission(actor.role, permission)) return;
  throw new AppError("PERMISSION_DENIED", `Your role does not allow this (${permission}).`, { suggestion: "Ask an administrator of this publisher." });
}
