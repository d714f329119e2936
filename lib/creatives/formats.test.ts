import { describe, expect, test } from "vitest";
import { compileSchema } from "../adcp/schemas";
import { newId } from "../ids";
import { findFormat, FORMATS } from "./formats";
import { type CreativeRow, toDesiredCreative } from "./to-desired";
import { checkAssets } from "./validate";
import { presentFormat } from "./wire-format";

const url = "https://cdn.example/x";
const CLICK = { click_url: { asset_type: "url", url: "https://shop.example/{MEDIA_BUY_ID}?a=b" }, impression_tracker: { asset_type: "url", url: "https://count.example/p.gif" } };

/** Assets that each type of format accepts. */
const GOOD: Record<string, Record<string, unknown>> = {
  display_300x250_image: { image: { asset_type: "image", url: `${url}.png`, width: 300, height: 250 }, ...CLICK },
  display_300x250_html: { html: { asset_type: "html", content: "<script>tag()</script>" } },
  video_standard_30s: { video: { asset_type: "video", url: `${url}.mp4`, width: 1920, height: 1080, duration_ms: 30_040, container_format: "mp4" }, ...CLICK },
  video_vast_15s: { vast: { asset_type: "vast", delivery_type: "url", url: `${url}.xml`, duration_ms: 15_000 } },
  native_standard: { headline: { asset_type: "text", content: "Walk" }, image: { asset_type: "image", url: `${url}.jpg`, width: 1200, height: 628 }, cta: { asset_type: "text", content: "Go" }, ...CLICK },
  audio_standard_30s: { audio: { asset_type: "audio", url: `${url}.mp3`, duration_ms: 29_000 } },
};

/** What is wrong, and where. */
const BAD: [format: string, assets: Record<string, unknown>, field: string][] = [
  ["display_300x250_image", {}, "assets.image"],
  ["display_300x250_image", { image: { asset_type: "text", content: "x" } }, "assets.image.asset_type"],
  ["display_300x250_image", { image: { asset_type: "image", url, width: 301, height: 250 } }, "assets.image.width"],
  ["display_300x250_image", { image: { asset_type: "image", url: "javascript:alert(1)", width: 300, height: 250 } }, "assets.image.url"],
  ["display_300x250_image", { image: { asset_type: "image", url: "https://u:p@a.example/x.png", width: 300, height: 250 } }, "assets.image.url"],
  ["display_300x250_image", { image: { asset_type: "image", url: `${url}.svg`, width: 300, height: 250 } }, "assets.image.format"],
  ["display_300x250_image", { image: { asset_type: "image", url, width: 300, height: 250 }, click_url: { asset_type: "url", url: "ftp://a.example" } }, "assets.click_url.url"],
  ["display_300x250_html", { html: { asset_type: "html", content: " " } }, "assets.html.content"],
  ["display_300x250_html", { html: { asset_type: "html", content: "x".repeat(205 * 1_024) } }, "assets.html.content"],
  ["video_standard_15s", { video: { asset_type: "video", url, width: 1920, height: 1080, duration_ms: 30_000 } }, "assets.video.duration_ms"],
  ["video_standard_15s", { video: { asset_type: "video", url, width: 1080, height: 1920 } }, "assets.video.width"],
  ["video_standard_15s", { video: { asset_type: "video", url, width: 1920, height: 1080, container_format: "avi" } }, "assets.video.container_format"],
  ["video_vast_15s", { vast: { asset_type: "vast", delivery_type: "inline", content: "<VAST/>" } }, "assets.vast.delivery_type"],
  ["native_standard", { headline: { asset_type: "text", content: "x".repeat(91) }, image: { asset_type: "image", url, width: 1200, height: 628 } }, "assets.headline.content"],
  ["audio_standard_15s", { audio: { asset_type: "audio", url, duration_ms: 20_000 } }, "assets.audio.duration_ms"],
];

describe("formats", () => {
  test("all fit the protocol's schema, and every id and alias means one format", () => {
    const validate = compileSchema("core/format");
    for (const format of FORMATS) expect(validate(presentFormat(format, "https://agent.example")), JSON.stringify(validate.errors)).toBe(true);
    const ids = FORMATS.flatMap(({ id, aliases }) => [id, ...aliases]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(FORMATS.map(({ kind }) => kind))).toEqual(new Set(["display", "video", "native", "audio"]));
    expect(FORMATS.length).toBeGreaterThanOrEqual(10);
    expect(findFormat("display_728x90")?.id).toBe("display_728x90_image");
    expect(findFormat("toString")).toBeUndefined();
  });

  test("good assets pass; the same fit the protocol's own schema of assets", () => {
    const validate = compileSchema("core/creative-asset");
    for (const [id, assets] of Object.entries(GOOD)) {
      expect([id, checkAssets(formatOf(id), assets).map(({ userMessage }) => userMessage)]).toEqual([id, []]);
      expect(validate({ creative_id: "c", name: "n", format_id: { agent_url: "https://a.example", id }, assets }), JSON.stringify(validate.errors)).toBe(true);
    }
  });

  test.each(BAD)("%s: %j is wrong in %s", (id, assets, field) => {
    expect(checkAssets(formatOf(id), assets).map((error) => error.field)).toContain(field);
  });
});

describe("what ad servers get", () => {
  test("one way to serve each type", () => {
    const sources = Object.entries(GOOD).map(([id, assets]) => toDesiredCreative(row(id, assets), 3));
    expect(sources.map(({ kind, source }) => [kind, source.type])).toEqual([["display", "image_url"], ["display", "html"], ["video", "video_url"], ["video", "vast_url"], ["native", "native"], ["audio", "audio_url"]]);
    expect(sources[0]).toMatchObject({ width: 300, height: 250, durationMs: null, clickUrl: "https://shop.example/{MEDIA_BUY_ID}?a=b", impressionTrackerUrls: ["https://count.example/p.gif"], weight: 3 });
    expect(sources[3]).toMatchObject({ durationMs: 15_000, clickUrl: null, impressionTrackerUrls: [] });
    expect(sources[4]?.source).toEqual({ type: "native", fields: { headline: "Walk", image: `${url}.jpg`, cta: "Go" } });
  });

  test("names end in what proves them ours and stay within 255 characters", () => {
    const creative = toDesiredCreative(row("display_300x250_html", GOOD.display_300x250_html ?? {}, "n".repeat(400)), null);
    expect(creative.name).toHaveLength(255);
    expect(creative.name.endsWith(` ${creative.suffix}`)).toBe(true);
    expect(creative.suffix).toMatch(/^\[cr_[0-9a-z]{26}\]$/);
  });

  test("nothing to serve is an error, never an empty creative", () => {
    for (const [id, assets] of [["display_300x250_image", {}], ["native_standard", { headline: { asset_type: "text", content: "x" } }], ["unknown", {}], ["video_vast_15s", { vast: { asset_type: "vast", delivery_type: "inline", content: "<VAST/>" } }]] as const) {
      expect(() => toDesiredCreative(row(id, assets), null)).toThrow("CREATIVE_REJECTED");
    }
  });
});

function formatOf(id: string) {
  const format = findFormat(id);
  if (!format) throw new Error(`no format ${id}`);
  return format;
}

function row(formatId: string, assets: Record<string, unknown>, name = "Banner"): CreativeRow {
  const now = new Date();
  return {
    tenantId: newId(), id: newId(), principalId: newId(), accountId: newId(), creativeId: "c", name, formatId: { agent_url: "https://a.example", id: formatId }, assets, status: "approved",
    rejectionReason: null, receiverId: null, tags: [], contentHash: "", version: 1, createdAt: now, updatedAt: now, archivedAt: null, archivedFrom: null,
  };
}
