import { NonRetriableError } from "inngest";
import { isBrokenInvariant } from "@/lib/errors";

/** A broken invariant does not mend itself: it fails the run at once, and a person hears of it. */
export async function onceIfBroken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isBrokenInvariant(error)) throw new NonRetriableError(error.message, { cause: error });
    throw error;
  }
}

/** Durations on the wire are whole seconds, at least one. */
export function seconds(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1_000))}s`;
}
