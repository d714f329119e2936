import { z } from "zod";

export const serviceAccountSchema = z.object({
  email: z.string(),
  keys: z.array(z.object({ id: z.string(), publicKey: z.string() })),
  networks: z.array(z.string()),
  canApprove: z.boolean(),
  isRevoked: z.boolean(),
});
export type ServiceAccount = z.infer<typeof serviceAccountSchema>;
