import { ConfigurationError, env } from "../env";
import { AppError } from "../errors";
import { GAM_KIND } from "./gam/declare";

/**
 * Where an ad server's API is. The operator's configuration alone: no tenant can name a host. Throws ConfigurationError when a
 * simulated connection has no simulator, UNSUPPORTED_FEATURE for an unknown kind.
 */
export function adServerBaseUrl(kind: string, mode: "live" | "simulated"): string {
  if (kind !== GAM_KIND) throw new AppError("UNSUPPORTED_FEATURE", `This release of Greenlight has no ad server of the kind “${kind}”.`, { details: { kind } });
  const url = mode === "live" ? env().GAM_BASE_URL : env().GAM_SIMULATOR_URL;
  if (!url) throw new ConfigurationError("Configuration is wrong: GAM_SIMULATOR_URL is not set, so simulated connections to Google Ad Manager lead nowhere.");
  return url.replace(/\/$/, "");
}
