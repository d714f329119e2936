import { readAssetOf } from "./assets";
import { type FormatDefinition } from "./formats";

/** A manifest as a page. Pure: nothing is fetched, and everything that a buyer wrote is text, but for HTML creatives, which are pages of their own. */

export type PreviewInput = { name: string; macros?: Record<string, string> };

/** The page, or undefined when the manifest lacks what its format shows. */
export function renderPreview(format: FormatDefinition, assets: Record<string, unknown>, input: PreviewInput): string | undefined {
  const content = renderContent(format, assets);
  if (content === undefined) return undefined;
  const filled = fillMacros(content, input.macros ?? {}, format.type !== "html");
  return format.type === "html" ? filled : page(`${format.name}: ${input.name}`, filled);
}

function renderContent(format: FormatDefinition, assets: Record<string, unknown>): string | undefined {
  switch (format.type) {
    case "image": {
      const image = readAssetOf(assets, "image", "image");
      return image && linked(assets, `<img src="${escapeHtml(image.url)}" width="${image.width}" height="${image.height}" alt="The creative's image">`);
    }
    case "html":
      return readAssetOf(assets, "html", "html")?.content;
    case "hosted_video": {
      const video = readAssetOf(assets, "video", "video");
      return video && `<video src="${escapeHtml(video.url)}" width="${format.width}" height="${format.height}" controls muted></video>${link(assets)}`;
    }
    case "audio": {
      const audio = readAssetOf(assets, "audio", "audio");
      return audio && `<audio src="${escapeHtml(audio.url)}" controls></audio>${link(assets)}`;
    }
    case "vast": {
      const tag = readAssetOf(assets, "vast", "vast");
      return tag?.url === undefined ? undefined : `<p>The player asks this VAST tag for the spot:</p><p><code>${escapeHtml(tag.url)}</code></p>`;
    }
    case "native":
      return renderNative(format, assets);
  }
}

/** Its parts one below the other, as the publisher's page arranges them in its own way. */
function renderNative(format: FormatDefinition, assets: Record<string, unknown>): string | undefined {
  const parts: string[] = [];
  for (const slot of format.assets) {
    const text = slot.type === "text" ? readAssetOf(assets, slot.assetId, "text")?.content : undefined;
    const image = slot.type === "image" ? readAssetOf(assets, slot.assetId, "image")?.url : undefined;
    if (text !== undefined) parts.push(`<p data-part="${slot.assetId}">${escapeHtml(text)}</p>`);
    else if (image !== undefined) parts.push(`<img src="${escapeHtml(image)}" alt="" style="max-width:100%">`);
    else if (slot.isRequired) return undefined;
  }
  return `<article>${parts.join("")}${link(assets)}</article>`;
}

function clickUrl(assets: Record<string, unknown>): string | undefined {
  const url = readAssetOf(assets, "click_url", "url")?.url;
  // Anything else in a link would run as a script.
  return url !== undefined && /^https?:\/\//i.test(url) ? url : undefined;
}

function linked(assets: Record<string, unknown>, content: string): string {
  const url = clickUrl(assets);
  return url === undefined ? content : `<a href="${escapeHtml(url)}" target="_blank" rel="noopener noreferrer nofollow">${content}</a>`;
}

function link(assets: Record<string, unknown>): string {
  const url = clickUrl(assets);
  return url === undefined ? "" : `<p>${linked(assets, escapeHtml(url))}</p>`;
}

/** `{NAME}` and `[NAME]`, as ad servers write them. */
function fillMacros(content: string, macros: Record<string, string>, isEscaped: boolean): string {
  return content.replaceAll(/\{([A-Z0-9_]{1,100})\}|\[([A-Z0-9_]{1,100})\]/g, (whole, braced?: string, bracketed?: string) => {
    const name = braced ?? bracketed ?? "";
    const value = Object.hasOwn(macros, name) ? macros[name] : undefined;
    return value === undefined ? whole : isEscaped ? escapeHtml(value) : value;
  });
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title><meta name="viewport" content="width=device-width"><style>body{margin:0;font:16px/1.4 system-ui,sans-serif}img{display:block}code{overflow-wrap:anywhere}</style></head><body>${body}</body></html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}
