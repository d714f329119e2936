import { type CreativeKind, type CreativeSource } from "../ad-servers/types";
import { type FormatId } from "../products/schema";

/** How a creative of this format is served: decides which of its assets is the ad itself. */
export type FormatType = "image" | "html" | "hosted_video" | "vast" | "native" | "audio";

export type AssetType = "image" | "video" | "audio" | "vast" | "html" | "text" | "url";

/** One slot of a format; buyers key their assets by `assetId`. `requirements` is the protocol's object for this type. */
export type AssetSlot = { assetId: string; type: AssetType; isRequired: boolean; requirements: AssetRequirements };

export type AssetRequirements = {
  min_width?: number;
  max_width?: number;
  min_height?: number;
  max_height?: number;
  aspect_ratio?: string;
  formats?: string[];
  containers?: string[];
  max_duration_ms?: number;
  max_file_size_kb?: number;
  max_length?: number;
  sandbox?: "safeframe";
  role?: "clickthrough" | "impression_tracker";
  protocols?: ("https" | "http")[];
};

/** How a creative of each type reaches an ad server: one that cannot take it cannot be sold that format. */
export const SOURCE_OF = { image: "image_url", html: "html", hosted_video: "video_url", vast: "vast_url", audio: "audio_url", native: "native" } as const satisfies Record<FormatType, CreativeSource>;

export type FormatDefinition = {
  id: string;
  name: string;
  description: string;
  kind: CreativeKind;
  type: FormatType;
  /** Pixels. 1 × 1 where the place decides (native, audio). */
  width: number;
  height: number;
  durationMs?: number;
  /** Ids by which other agents publish an equal format. */
  aliases: readonly string[];
  assets: readonly AssetSlot[];
};

const CLICK_URL: AssetSlot = { assetId: "click_url", type: "url", isRequired: false, requirements: { role: "clickthrough", protocols: ["https", "http"], max_length: 2_048 } };
const IMPRESSION_TRACKER: AssetSlot = { assetId: "impression_tracker", type: "url", isRequired: false, requirements: { role: "impression_tracker", protocols: ["https"], max_length: 2_048 } };

const DISPLAY_SIZES = [[300, 250], [728, 90], [160, 600], [300, 600], [970, 250], [320, 50]] as const;
const DURATIONS_S = [15, 30] as const;
/** The player decides the rendered size; this is what ad servers book for 16:9. */
const VIDEO = { width: 640, height: 360 } as const;

function imageBanner(width: number, height: number): FormatDefinition {
  const size = `${width}x${height}`;
  return {
    id: `display_${size}_image`, name: `Image banner ${width} × ${height}`, description: `A still or animated image of exactly ${width} × ${height} pixels with a click-through.`,
    kind: "display", type: "image", width, height, aliases: [`display_${size}`, `display_static_${size}`],
    assets: [
      { assetId: "image", type: "image", isRequired: true, requirements: { min_width: width, max_width: width, min_height: height, max_height: height, formats: ["jpg", "jpeg", "png", "gif", "webp"], max_file_size_kb: 1_024 } },
      CLICK_URL, IMPRESSION_TRACKER,
    ],
  };
}

function htmlBanner(width: number, height: number): FormatDefinition {
  const size = `${width}x${height}`;
  return {
    id: `display_${size}_html`, name: `HTML banner ${width} × ${height}`, description: `HTML, or a third-party tag, that renders in a SafeFrame of ${width} × ${height} pixels.`,
    kind: "display", type: "html", width, height, aliases: [],
    assets: [{ assetId: "html", type: "html", isRequired: true, requirements: { max_file_size_kb: 200, sandbox: "safeframe" } }, CLICK_URL, IMPRESSION_TRACKER],
  };
}

function hostedVideo(seconds: number): FormatDefinition {
  return {
    id: `video_standard_${seconds}s`, name: `Video ${seconds} s`, description: `A video file of up to ${seconds} seconds, 16:9, that the publisher's player serves.`,
    kind: "video", type: "hosted_video", ...VIDEO, durationMs: seconds * 1_000, aliases: [`video_${seconds}s`],
    assets: [
      { assetId: "video", type: "video", isRequired: true, requirements: { min_width: VIDEO.width, min_height: VIDEO.height, aspect_ratio: "16:9", containers: ["mp4", "webm", "mov"], max_duration_ms: seconds * 1_000 } },
      CLICK_URL, IMPRESSION_TRACKER,
    ],
  };
}

function vastVideo(seconds: number): FormatDefinition {
  return {
    id: `video_vast_${seconds}s`, name: `VAST video ${seconds} s`, description: `A VAST tag (by URL) for a video of up to ${seconds} seconds, 16:9.`,
    kind: "video", type: "vast", ...VIDEO, durationMs: seconds * 1_000, aliases: [],
    assets: [{ assetId: "vast", type: "vast", isRequired: true, requirements: {} }, CLICK_URL, IMPRESSION_TRACKER],
  };
}

function vastAudio(seconds: number): FormatDefinition {
  return {
    id: `audio_vast_${seconds}s`, name: `VAST audio ${seconds} s`, description: `A VAST or DAAST tag (by URL) for an audio spot of up to ${seconds} seconds.`,
    kind: "audio", type: "vast", width: 1, height: 1, durationMs: seconds * 1_000, aliases: [],
    assets: [{ assetId: "vast", type: "vast", isRequired: true, requirements: {} }, CLICK_URL, IMPRESSION_TRACKER],
  };
}

function audioSpot(seconds: number): FormatDefinition {
  return {
    id: `audio_standard_${seconds}s`, name: `Audio ${seconds} s`, description: `An audio spot of up to ${seconds} seconds.`,
    kind: "audio", type: "audio", width: 1, height: 1, durationMs: seconds * 1_000, aliases: [`audio_${seconds}s`],
    assets: [{ assetId: "audio", type: "audio", isRequired: true, requirements: { max_duration_ms: seconds * 1_000 } }, CLICK_URL, IMPRESSION_TRACKER],
  };
}

const NATIVE: FormatDefinition = {
  id: "native_standard", name: "Native", description: "Headline, image and optional text that take the look of the page around them.",
  kind: "native", type: "native", width: 1, height: 1, aliases: ["native_content", "native_post", "native_feed"],
  assets: [
    { assetId: "headline", type: "text", isRequired: true, requirements: { max_length: 90 } },
    { assetId: "image", type: "image", isRequired: true, requirements: { min_width: 600, min_height: 314, formats: ["jpg", "jpeg", "png", "webp"], max_file_size_kb: 2_048 } },
    { assetId: "body", type: "text", isRequired: false, requirements: { max_length: 200 } },
    { assetId: "cta", type: "text", isRequired: false, requirements: { max_length: 25 } },
    { assetId: "sponsored_by", type: "text", isRequired: false, requirements: { max_length: 50 } },
    CLICK_URL, IMPRESSION_TRACKER,
  ],
};

/** What every publisher of this installation can serve; a product lists the ids it is sold with. */
export const FORMATS: readonly FormatDefinition[] = [
  ...DISPLAY_SIZES.map(([width, height]) => imageBanner(width, height)),
  ...DISPLAY_SIZES.map(([width, height]) => htmlBanner(width, height)),
  ...DURATIONS_S.map(hostedVideo),
  ...DURATIONS_S.map(vastVideo),
  NATIVE,
  ...DURATIONS_S.map(audioSpot),
  ...DURATIONS_S.map(vastAudio),
];

const BY_ID = new Map(FORMATS.flatMap((format) => [format.id, ...format.aliases].map((id) => [id, format] as const)));

/** The format with this id or alias, whichever agent's namespace the id came from. */
export function findFormat(formatId: string): FormatDefinition | undefined {
  return BY_ID.get(formatId);
}

export function toFormatId(id: string, agentUrl: string): FormatId {
  return { agent_url: agentUrl, id };
}
