import { type Tone } from "@/components/ui/badge";
import { type StaffMember } from "@/lib/staff/queries";

type Role = StaffMember["role"];

export const ROLES: Record<Role, { label: string; hint: string }> = {
  admin: { label: "Admin", hint: "Everything, including people, buyers, connections and settings." },
  trafficker: { label: "Trafficker", hint: "Decides on orders, edits products, chooses advertisers." },
  viewer: { label: "Viewer", hint: "Looks, and changes nothing." },
};

export const ROLE_ORDER: readonly Role[] = ["viewer", "trafficker", "admin"];

export const STATES: Record<StaffMember["state"], { tone: Tone; label: string }> = {
  active: { tone: "success", label: "Active" },
  invited: { tone: "waiting", label: "Invited" },
  deactivated: { tone: "neutral", label: "Deactivated" },
};
