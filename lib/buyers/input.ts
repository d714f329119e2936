import { z } from "zod";
import { HOUR_MS } from "../time";
import { ALL_SCOPES, isScope } from "./scopes";

const text = (longest: number, missing: string) => z.string().trim().min(1, missing).max(longest, `Use at most ${longest} characters.`);

export const principalInput = z.strictObject({ name: text(150, "Enter a name."), isSandbox: z.boolean() });
export type PrincipalInput = z.infer<typeof principalInput>;

export const tokenInput = z.strictObject({
  principalId: z.uuid(),
  /** What staff call it, to tell it from others. */
  name: z.string().trim().max(100, "Use at most 100 characters."),
  /** `["*"]` for everything. */
  scopes: z.array(z.string().refine((scope) => scope === ALL_SCOPES || isScope(scope), "There is no such permission.")).min(1, "Choose at least one permission.").max(50)
    .transform((scopes) => (scopes.includes(ALL_SCOPES) ? [ALL_SCOPES] : [...new Set(scopes)].sort())),
  /** null: never. */
  expiresAt: z.date().nullable(),
});
export type TokenInput = z.input<typeof tokenInput>;

/** How long the old token still works after a rotation. */
export const ROTATION_OVERLAP_HOURS = [0, 1, 24, 72, 168, 720] as const;

export const rotationInput = z.strictObject({
  tokenId: z.uuid(),
  overlapHours: z.number().min(0).max(720, "The old token can work for at most 30 days more."),
  /** Of the new token; null: never. */
  expiresAt: z.date().nullable(),
});
export type RotationInput = z.infer<typeof rotationInput>;

export function overlapMs(hours: number): number {
  return hours * HOUR_MS;
}
