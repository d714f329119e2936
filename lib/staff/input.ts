import { z } from "zod";

export const STAFF_ROLES = ["admin", "trafficker", "viewer"] as const;

const role = z.enum(STAFF_ROLES, "Choose a role.");
const person = { userId: z.uuid() };

export const inviteInput = z.strictObject({
  email: z.string().trim().max(254, "Use at most 254 characters.").regex(/^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$/u, "Enter an e-mail address."),
  name: z.string().trim().min(1, "Enter a name.").max(150, "Use at most 150 characters."),
  role,
});
/** `seen`: the role as it stood when the change was begun. */
export const roleInput = z.strictObject({ ...person, role, seen: role });
export const personInput = z.strictObject(person);
