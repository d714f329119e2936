import { type DesiredCreative } from "../types";

/** How a creative of ours becomes one of Ad Manager's. Pure. */

export type SizeType = "PIXEL" | "FLUID" | "AUDIO";
export type Size = { width: number; height: number; sizeType: SizeType };

/** The kind of creative, and so the key that holds its details on the wire. Neither it nor the size can change later. */
export type CreativeType = "imageRedirectCreative" | "thirdPartyCreative" | "customCreative" | "vastRedirectCreative";

export type CreativeFields = { displayName: string; size: Size; type: CreativeType; details: Record<string, unknown> };
export type CreativeMapping = { fields: CreativeFields; problem?: undefined } | { fields?: undefined; problem: string };

const NAME_LENGTH_MAX = 255;
const URL_LENGTH_MAX = 1024;

/** Audio has no size, native without one fills its slot; Ad Manager writes both as 1x1 of their own type. */
export function toSize({ kind, width, height }: { kind: DesiredCreative["kind"]; width: number; height: number }): Size {
  if (kind === "audio") return { width: 1, height: 1, sizeType: "AUDIO" };
  if (kind === "native" && (width <= 1 || height <= 1)) return { width: 1, height: 1, sizeType: "FLUID" };
  return { width, height, sizeType: "PIXEL" };
}

export function sizeText({ width, height, sizeType }: Omit<Size, "sizeType"> & { sizeType: string }): string {
  return sizeType === "PIXEL" ? `${width}x${height}` : sizeType.toLowerCase();
}

/**
 * Each order uploads its own copy of a creative: two orders that share one would otherwise both write it, and neither could know
 * whether the other had created it already. The name ends in both suffixes, by which the copy is found again.
 */
export function creativeSuffix(creative: Pick<DesiredCreative, "suffix">, orderSuffix: string): string {
  return `${creative.suffix} ${orderSuffix}`;
}

export function toCreativeFields(creative: DesiredCreative, orderSuffix: string): CreativeMapping {
  const details = toDetails(creative);
  if ("problem" in details) return { problem: `Creative “${titleOf(creative)}”: ${details.problem}` };
  const suffix = creativeSuffix(creative, orderSuffix);
  return { fields: { displayName: `${titleOf(creative).slice(0, NAME_LENGTH_MAX - suffix.length - 1)} ${suffix}`, size: toSize(creative), ...details } };
}

/** The buyer's own name for it. */
export function titleOf({ name, suffix }: Pick<DesiredCreative, "name" | "suffix">): string {
  return name.endsWith(suffix) ? name.slice(0, -suffix.length).trimEnd() : name;
}

type Details = Pick<CreativeFields, "type" | "details"> | { problem: string };

function toDetails(creative: DesiredCreative): Details {
  const { source, kind } = creative;
  const urls = [creative.clickUrl, ...creative.impressionTrackerUrls, "url" in source ? source.url : null];
  if (urls.some((url) => url !== null && url.length > URL_LENGTH_MAX)) return { problem: `Google Ad Manager takes addresses of at most ${URL_LENGTH_MAX} characters.` };
  switch (source.type) {
    case "image_url":
      return { type: "imageRedirectCreative", details: { imageUrl: source.url, ...destination(creative), ...impressionTrackers(creative) } };
    case "html":
      return { type: "thirdPartyCreative", details: { snippet: source.html, ...impressionTrackers(creative) } };
    case "script_url":
      return { type: "thirdPartyCreative", details: { snippet: `<script src="${escapeHtml(source.url)}"></script>`, ...impressionTrackers(creative) } };
    case "native":
      return { type: "customCreative", details: { htmlSnippet: renderNative(source.fields, creative.clickUrl !== null), ...destination(creative), ...impressionTrackers(creative) } };
    case "vast_url":
      return toVastDetails(creative, source.url);
    // The REST API's videoRedirectCreative and audioRedirectCreative have no field for the file's address: they would serve nothing.
    case "video_url":
    case "audio_url":
      return { problem: `Google Ad Manager's API takes ${kind === "audio" ? "audio" : "video"} as a VAST tag only; a hosted file needs a VAST document that points to it.` };
  }
}

function toVastDetails(creative: DesiredCreative, url: string): Details {
  if (!creative.durationMs) return { problem: "a VAST tag needs its duration." };
  const trackingUrls = creative.impressionTrackerUrls.map((tracker) => ({ conversionEvent: "CREATIVE_VIEW", url: tracker }));
  return {
    type: "vastRedirectCreative",
    details: {
      vastXmlUrl: url, vastRedirectType: "LINEAR", duration: durationText(creative.durationMs), ...destination(creative),
      ...(creative.kind === "audio" ? { audio: true } : {}), ...(trackingUrls.length > 0 ? { trackingUrls } : {}),
    },
  };
}

function destination({ clickUrl }: DesiredCreative): Record<string, unknown> {
  return clickUrl === null ? { destinationUrlType: "NONE" } : { destinationUrl: clickUrl, destinationUrlType: "CLICK_TO_WEB" };
}

function impressionTrackers({ impressionTrackerUrls }: DesiredCreative): Record<string, unknown> {
  return impressionTrackerUrls.length === 0 ? {} : { thirdPartyImpressionTrackingUrls: impressionTrackerUrls };
}

/** google.protobuf.Duration in JSON: "15s", "6.5s". */
export function durationText(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}

/** Native styles need a template that the REST API cannot name yet: the fields are rendered here, text escaped, in the order given. */
function renderNative(fields: Record<string, string>, isClickable: boolean): string {
  const parts = Object.entries(fields).map(([name, value]) => {
    const className = `native-${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
    return /(image|icon|logo)/i.test(name) && /^https?:\/\//.test(value)
      ? `<img class="${className}" src="${escapeHtml(value)}" alt="">`
      : `<span class="${className}">${escapeHtml(value)}</span>`;
  });
  if (!isClickable) return `<div class="native-ad">${parts.join("")}</div>`;
  return `<a class="native-ad" href="%%CLICK_URL_UNESC%%%%DEST_URL%%" target="_blank" rel="noopener">${parts.join("")}</a>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}
