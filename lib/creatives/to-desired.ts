import { type DesiredCreative } from "../ad-servers/types";
import { AppError } from "../errors";
import { toWireId } from "../ids";
import { readAssetOf } from "./assets";
import { findFormat, type FormatDefinition } from "./formats";
import { type creatives } from "./schema";

export type CreativeRow = typeof creatives.$inferSelect;

const NAME_LENGTH_MAX = 255;

/** What an ad server needs to serve this creative. Throws CREATIVE_REJECTED when there is nothing to serve. */
export function toDesiredCreative(creative: CreativeRow, weight: number | null): DesiredCreative {
  const format = findFormat(creative.formatId.id);
  const source = format && sourceOf(format, creative.assets);
  if (!format || !source) throw new AppError("CREATIVE_REJECTED", `The creative "${creative.name}" has nothing that can be served.`, { suggestion: "Send its assets again as its format asks." });
  const suffix = `[${toWireId("creative", creative.id)}]`;
  return {
    creativeId: creative.id,
    version: creative.version,
    name: `${creative.name.slice(0, NAME_LENGTH_MAX - suffix.length - 1)} ${suffix}`,
    suffix,
    kind: format.kind,
    width: format.width,
    height: format.height,
    durationMs: durationOf(creative.assets) ?? format.durationMs ?? null,
    source,
    clickUrl: readAssetOf(creative.assets, "click_url", "url")?.url ?? null,
    impressionTrackerUrls: [readAssetOf(creative.assets, "impression_tracker", "url")?.url].filter((url) => url !== undefined),
    weight,
  };
}

function sourceOf(format: FormatDefinition, assets: Record<string, unknown>): DesiredCreative["source"] | undefined {
  switch (format.type) {
    case "image": {
      const image = readAssetOf(assets, "image", "image");
      return image && { type: "image_url", url: image.url };
    }
    case "html": {
      const html = readAssetOf(assets, "html", "html");
      return html && { type: "html", html: html.content };
    }
    case "hosted_video": {
      const video = readAssetOf(assets, "video", "video");
      return video && { type: "video_url", url: video.url };
    }
    case "vast": {
      const url = readAssetOf(assets, "vast", "vast")?.url;
      return url === undefined ? undefined : { type: "vast_url", url };
    }
    case "audio": {
      const audio = readAssetOf(assets, "audio", "audio");
      return audio && { type: "audio_url", url: audio.url };
    }
    case "native":
      return nativeSource(format, assets);
  }
}

/** Every text and image of the format by its asset id; images as their address. */
function nativeSource(format: FormatDefinition, assets: Record<string, unknown>): DesiredCreative["source"] | undefined {
  const fields: Record<string, string> = {};
  for (const slot of format.assets) {
    const value = slot.type === "text" ? readAssetOf(assets, slot.assetId, "text")?.content : slot.type === "image" ? readAssetOf(assets, slot.assetId, "image")?.url : undefined;
    if (value !== undefined) fields[slot.assetId] = value;
    else if (slot.isRequired) return undefined;
  }
  return { type: "native", fields };
}

function durationOf(assets: Record<string, unknown>): number | undefined {
  return readAssetOf(assets, "video", "video")?.duration_ms ?? readAssetOf(assets, "audio", "audio")?.duration_ms ?? readAssetOf(assets, "vast", "vast")?.duration_ms;
}
