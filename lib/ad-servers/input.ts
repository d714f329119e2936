import { z } from "zod";
import { isTimeZone } from "../time";

/** What the connection editor sends. Without `id` a new connection is made; with it, `version` is the one that was being edited. */
export const connectionInput = z.strictObject({
  id: z.uuid().optional(),
  version: z.number().int().min(1).optional(),
  name: z.string().trim().min(1, "Enter a name.").max(100, "Use at most 100 characters."),
  kind: z.string().max(50),
  mode: z.enum(["live", "simulated"]),
  /** What the network is expected to have; the test compares it with what the network says. */
  currency: z.string().trim().toUpperCase().regex(/^[A-Z]{3}$/, "Use a three-letter currency code, such as USD."),
  timeZone: z.string().trim().refine(isTimeZone, "Use a time zone's full name, such as Europe/Berlin."),
  /** In the form of the ad server's connectionSchema. Holds no secret. */
  config: z.record(z.string(), z.unknown()),
  /** Absent or empty: keep what is stored. Never read back. */
  credentials: z.string().max(32_768, "This is too long to be a key.").optional(),
  /** Remote calls per second. Absent: the ad server's default. */
  ratePerSecond: z.number("Enter a number.").min(0.1, "At least 0.1 a second.").max(1_000, "At most 1,000 a second.").optional(),
});
export type ConnectionInput = z.infer<typeof connectionInput>;
