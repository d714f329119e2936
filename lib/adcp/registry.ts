import { type BuyerSession, type Tool } from "./tool";
import { complyTestControllerTool } from "./tools/comply-test-controller";
import { createMediaBuyTool } from "./tools/create-media-buy";
import { getAdcpCapabilitiesTool } from "./tools/get-adcp-capabilities";
import { getCreativeDeliveryTool } from "./tools/get-creative-delivery";
import { getMediaBuyDeliveryTool } from "./tools/get-media-buy-delivery";
import { getMediaBuysTool } from "./tools/get-media-buys";
import { getProductsTool } from "./tools/get-products";
import { listAccountsTool } from "./tools/list-accounts";
import { listAuthorizedPropertiesTool } from "./tools/list-authorized-properties";
import { listCreativeFormatsTool } from "./tools/list-creative-formats";
import { listCreativesTool } from "./tools/list-creatives";
import { previewCreativeTool } from "./tools/preview-creative";
import { providePerformanceFeedbackTool } from "./tools/provide-performance-feedback";
import { syncAccountsTool } from "./tools/sync-accounts";
import { syncAudiencesTool } from "./tools/sync-audiences";
import { syncCreativesTool } from "./tools/sync-creatives";
import { syncGovernanceTool } from "./tools/sync-governance";
import { getTaskStatusTool } from "./tools/get-task-status";
import { listTasksTool } from "./tools/list-tasks";
import { tasksGetTool } from "./tools/tasks-get";
import { tasksListTool } from "./tools/tasks-list";
import { updateMediaBuyTool } from "./tools/update-media-buy";

/** Every tool that buyers can call, on every door alike. */
export const TOOLS: readonly Tool[] = [
  getAdcpCapabilitiesTool,
  getProductsTool,
  listCreativeFormatsTool,
  listAuthorizedPropertiesTool,
  syncAccountsTool,
  listAccountsTool,
  syncGovernanceTool,
  syncCreativesTool,
  syncAudiencesTool,
  listCreativesTool,
  previewCreativeTool,
  createMediaBuyTool,
  updateMediaBuyTool,
  getMediaBuysTool,
  getMediaBuyDeliveryTool,
  getCreativeDeliveryTool,
  providePerformanceFeedbackTool,
  tasksGetTool,
  tasksListTool,
  getTaskStatusTool,
  listTasksTool,
  complyTestControllerTool,
];

const BY_NAME = new Map(TOOLS.flatMap((tool) => [tool.name, ...(tool.aliases ?? [])].map((name) => [name, tool] as const)));

export function isVisibleTo(tool: Tool, session: BuyerSession | null): boolean {
  return tool.isVisible?.(session) ?? true;
}

export function visibleTools(session: BuyerSession | null): readonly Tool[] {
  return TOOLS.filter((tool) => isVisibleTo(tool, session));
}

/** The tool of that name, if it exists for the caller, who is only identified where that matters. */
export async function findTool(name: string, identify: () => Promise<{ session: BuyerSession | null }>): Promise<Tool | undefined> {
  const tool = BY_NAME.get(name);
  return tool?.isVisible && !isVisibleTo(tool, (await identify()).session) ? undefined : tool;
}
