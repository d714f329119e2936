import { PREVIEW_PATH } from "../creatives/preview";
import { log } from "../log";
import { handlePreview } from "./previews";
import { AGENT_CARD_PATHS, handleA2a, handleAgentCard } from "./a2a";
import { handleDiscovery } from "./discovery";
import { jsonResponse } from "./json-response";
import { handleMcp } from "./mcp";
import { TOOLS } from "./registry";
import { handleRest, REST_PREFIX } from "./rest";
import { toolValidator } from "./tool-schemas";
import { errorPayload, httpStatusOf, toAppError } from "./wire-error";

/** Everything that buyers and their machines call. null: not one of its paths. Never throws. */
export async function handleBuyerRequest(request: Request): Promise<Response | null> {
  const url = new URL(request.url);
  const { pathname } = url;
  try {
    if (pathname === "/mcp" || pathname === "/mcp/") return await handleMcp(request);
    if (pathname.startsWith(`${REST_PREFIX}/`)) return await handleRest(request, url);
    if (pathname === "/a2a" || pathname === "/a2a/") return await handleA2a(request);
    if (AGENT_CARD_PATHS.includes(pathname)) return await handleAgentCard(request);
    if (pathname.startsWith(PREVIEW_PATH)) return await handlePreview(request, pathname);
    if (pathname.startsWith("/.well-known/")) return await handleDiscovery(request, pathname);
    return null;
  } catch (failure) {
    const error = toAppError(failure, log);
    return jsonResponse(httpStatusOf(error.code), JSON.stringify(errorPayload(error)));
  }
}

/** Compiles every tool's schemas (some 0.4 s), so that no buyer waits for it. */
export function prepareDoor(): void {
  for (const tool of TOOLS) {
    toolValidator(tool, "request");
    toolValidator(tool, "response");
  }
}
