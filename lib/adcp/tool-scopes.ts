import { hasScope, type Scope, SCOPES } from "../buyers/scopes";
import { AppError } from "../errors";
import { type BuyerSession } from "./tool";

/** What a token needs for each tool. null: nothing, because anybody may call it. A tool that is missing here answers to no limited token. */
export const TOOL_SCOPES: Readonly<Record<string, Scope | null>> = {
  get_adcp_capabilities: null,
  list_creative_formats: null,
  list_authorized_properties: null,
  get_products: "products:read",
  list_accounts: "accounts:read",
  sync_accounts: "accounts:write",
  sync_governance: "accounts:write",
  list_creatives: "creatives:read",
  preview_creative: "creatives:read",
  sync_creatives: "creatives:write",
  get_media_buys: "orders:read",
  tasks_get: "orders:read",
  tasks_list: "orders:read",
  get_task_status: "orders:read",
  list_tasks: "orders:read",
  create_media_buy: "orders:write",
  update_media_buy: "orders:write",
  get_media_buy_delivery: "reports:read",
  get_creative_delivery: "reports:read",
  provide_performance_feedback: "performance:write",
  sync_audiences: "audiences:write",
  comply_test_controller: "testing:write",
};

/** Throws PERMISSION_DENIED when the token is limited and this tool is not within its limits. */
export function assertScope(session: BuyerSession | null, toolName: string): void {
  if (!session) return;
  const scope = Object.hasOwn(TOOL_SCOPES, toolName) ? TOOL_SCOPES[toolName] : undefined;
  if (scope === null || hasScope(session.scopes, scope)) return;
  throw new AppError("PERMISSION_DENIED", scope === undefined ? "This token does not allow this." : `This token does not allow this (${SCOPES[scope].toLowerCase()}).`, {
    suggestion: "Use a token with this permission, or ask the publisher for one.", ...(scope === undefined ? {} : { details: { required_scope: scope } }),
  });
}
