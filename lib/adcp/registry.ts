import { type Tool } from "./tool";
import { createMediaBuyTool } from "./tools/create-media-buy";
import { getAdcpCapabilitiesTool } from "./tools/get-adcp-capabilities";
import { getMediaBuysTool } from "./tools/get-media-buys";
import { getProductsTool } from "./tools/get-products";
import { listAccountsTool } from "./tools/list-accounts";
import { listAuthorizedPropertiesTool } from "./tools/list-authorized-properties";
import { listCreativeFormatsTool } from "./tools/list-creative-formats";
import { listCreativesTool } from "./tools/list-creatives";
import { syncAccountsTool } from "./tools/sync-accounts";
import { syncCreativesTool } from "./tools/sync-creatives";
import { tasksGetTool } from "./tools/tasks-get";
import { updateMediaBuyTool } from "./tools/update-media-buy";

/** Every tool that buyers can call, on every door alike. */
export const TOOLS: readonly Tool[] = [
  getAdcpCapabilitiesTool,
  getProductsTool,
  listCreativeFormatsTool,
  listAuthorizedPropertiesTool,
  syncAccountsTool,
  listAccountsTool,
  syncCreativesTool,
  listCreativesTool,
  createMediaBuyTool,
  updateMediaBuyTool,
  getMediaBuysTool,
  tasksGetTool,
];

const BY_NAME = new Map(TOOLS.flatMap((tool) => [tool.name, ...(tool.aliases ?? [])].map((name) => [name, tool] as const)));

export function findTool(name: string): Tool | undefined {
  return BY_NAME.get(name);
}
