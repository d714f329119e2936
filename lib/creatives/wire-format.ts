import { type AssetSlot, type FormatDefinition, toFormatId } from "./formats";

/** A format as list_creative_formats shows it (core/format.json). */
export function presentFormat(format: FormatDefinition, agentUrl: string): Record<string, unknown> {
  return {
    format_id: toFormatId(format.id, agentUrl),
    name: format.name,
    description: format.description,
    ...renders(format),
    assets: format.assets.map(presentSlot),
    reported_metrics: format.kind === "video" || format.kind === "audio" ? ["impressions", "clicks", "completed_views", "completion_rate"] : ["impressions", "clicks", "ctr"],
  };
}

/** Audio has no picture, so no render. */
function renders({ type, width, height }: FormatDefinition): Record<string, unknown> {
  if (type === "audio") return {};
  if (type === "native") return { renders: [{ role: "primary", dimensions: { responsive: { width: true, height: true } } }] };
  if (type === "hosted_video" || type === "vast") return { renders: [{ role: "primary", dimensions: { min_width: width, min_height: height, aspect_ratio: "16:9", responsive: { width: true, height: true } } }] };
  return { renders: [{ role: "primary", dimensions: { width, height, unit: "px" } }] };
}

function presentSlot({ assetId, type, isRequired, requirements }: AssetSlot): Record<string, unknown> {
  return { item_type: "individual", asset_id: assetId, asset_type: type, required: isRequired, ...(Object.keys(requirements).length === 0 ? {} : { requirements }) };
}
