import { AppError } from "../errors";
import { gamDriver } from "./gam/driver";
import { type AdServerDriver } from "./types";

/** Every ad server's wire half. Reachable from worker code only. */
const DRIVERS: readonly AdServerDriver[] = [gamDriver];

/** Throws UNSUPPORTED_FEATURE for a kind that this release does not know: there is no stand-in. */
export function adServerDriver(kind: string): AdServerDriver {
  const driver = DRIVERS.find((candidate) => candidate.kind === kind);
  if (!driver) throw new AppError("UNSUPPORTED_FEATURE", `This release of Greenlight has no driver for the ad server “${kind}”.`, { details: { kind } });
  return driver;
}
