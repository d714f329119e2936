import { AppError } from "../errors";
import { readAsset, type UsableAsset } from "./assets";
import { type AssetRequirements, type AssetSlot, type FormatDefinition } from "./formats";

/** Files are made a frame longer than their nominal length. */
const DURATION_TOLERANCE_MS = 500;
const ASPECT_TOLERANCE = 0.02;

/** Everything that keeps these assets from being served in this format; `field` is relative to the creative. */
export function checkAssets(format: FormatDefinition, assets: Record<string, unknown>): AppError[] {
  return format.assets.flatMap((slot) => {
    const field = `assets.${slot.assetId}`;
    if (!Object.hasOwn(assets, slot.assetId)) return slot.isRequired ? [invalid(field, `The format ${format.id} needs the asset "${slot.assetId}" (${slot.type}).`)] : [];
    const asset = readAsset(assets[slot.assetId]);
    if (asset?.asset_type !== slot.type) return [invalid(`${field}.asset_type`, `The asset "${slot.assetId}" of ${format.id} is of type ${slot.type}.`)];
    return checkAsset(slot, asset, field, format.durationMs);
  });
}

/** Assets that the format has no place for. */
export function unusedAssets(format: FormatDefinition, assets: Record<string, unknown>): string[] {
  return Object.keys(assets).filter((key) => !format.assets.some((slot) => slot.assetId === key));
}

function checkAsset({ requirements }: AssetSlot, asset: UsableAsset, field: string, durationMaxMs: number | undefined): AppError[] {
  switch (asset.asset_type) {
    case "image":
      return [...checkUrl(asset.url, `${field}.url`, requirements), ...checkSize(asset, field, requirements), ...checkOneOf(asset.format ?? extension(asset.url), requirements.formats, `${field}.format`)];
    case "video":
      return [
        ...checkUrl(asset.url, `${field}.url`, requirements), ...checkSize(asset, field, requirements), ...checkDuration(asset.duration_ms, durationMaxMs, field),
        ...checkOneOf(asset.container_format, requirements.containers, `${field}.container_format`),
      ];
    case "audio":
      return [...checkUrl(asset.url, `${field}.url`, requirements), ...checkDuration(asset.duration_ms, durationMaxMs, field)];
    case "vast":
      if (asset.url === undefined) return [invalid(`${field}.delivery_type`, "VAST is accepted by URL only: send delivery_type `url` and a url.")];
      return [...checkUrl(asset.url, `${field}.url`, requirements), ...checkDuration(asset.duration_ms, durationMaxMs, field)];
    case "html":
      return checkHtml(asset.content, `${field}.content`, requirements);
    case "text":
      return checkText(asset.content, `${field}.content`, requirements);
    case "url":
      return checkUrl(asset.url, `${field}.url`, requirements);
  }
}

/** Never fetched: checked in syntax alone. Macros in braces pass. */
function checkUrl(url: string, field: string, { protocols = ["https", "http"], max_length: lengthMax = 4_096 }: AssetRequirements): AppError[] {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !protocols.some((protocol) => parsed.protocol === `${protocol}:`)) return [invalid(field, `The address begins with ${protocols.join(":// or ")}://.`)];
  if (parsed.username !== "" || parsed.password !== "") return [invalid(field, "The address holds no user name or password.")];
  return url.length > lengthMax ? [invalid(field, `The address has at most ${lengthMax} characters.`)] : [];
}

function checkSize({ width, height }: { width: number; height: number }, field: string, requirements: AssetRequirements): AppError[] {
  const { min_width: widthMin = 1, max_width: widthMax = Infinity, min_height: heightMin = 1, max_height: heightMax = Infinity, aspect_ratio: aspect } = requirements;
  if (width < widthMin || width > widthMax || height < heightMin || height > heightMax) {
    const wanted = widthMin === widthMax && heightMin === heightMax ? `exactly ${widthMin} × ${heightMin}` : `at least ${widthMin} × ${heightMin}`;
    return [invalid(`${field}.width`, `The size is ${wanted} pixels, not ${width} × ${height}.`)];
  }
  const [across = 0, down = 0] = aspect?.split(":").map(Number) ?? [];
  if (across > 0 && down > 0 && Math.abs(width / height / (across / down) - 1) > ASPECT_TOLERANCE) return [invalid(`${field}.width`, `The aspect ratio is ${aspect}, not ${width} × ${height}.`)];
  return [];
}

function checkDuration(durationMs: number | undefined, maxMs: number | undefined, field: string): AppError[] {
  if (durationMs === undefined || maxMs === undefined || durationMs <= maxMs + DURATION_TOLERANCE_MS) return [];
  return [invalid(`${field}.duration_ms`, `It lasts at most ${maxMs / 1_000} seconds.`)];
}

function checkOneOf(value: string | undefined, allowed: string[] | undefined, field: string): AppError[] {
  return value === undefined || !allowed || allowed.includes(value.toLowerCase()) ? [] : [invalid(field, `It is one of ${allowed.join(", ")}.`)];
}

function checkHtml(content: string, field: string, { max_file_size_kb: maxKb = Infinity }: AssetRequirements): AppError[] {
  if (content.trim() === "") return [invalid(field, "The HTML is empty.")];
  return Buffer.byteLength(content) > maxKb * 1_024 ? [invalid(field, `The HTML has at most ${maxKb} KB.`)] : [];
}

function checkText(content: string, field: string, { max_length: lengthMax = Infinity }: AssetRequirements): AppError[] {
  if (content.trim() === "") return [invalid(field, "The text is empty.")];
  return [...content].length > lengthMax ? [invalid(field, `The text has at most ${lengthMax} characters.`)] : [];
}

/** The ending of the file name, if it looks like one of an image. */
function extension(url: string): string | undefined {
  const ending = URL.canParse(url) ? /\.([a-z]{3,4})$/i.exec(new URL(url).pathname)?.[1]?.toLowerCase() : undefined;
  return ending !== undefined && ["svg", "tiff", "pdf", "eps", "avif", "bmp"].includes(ending) ? ending : undefined;
}

function invalid(field: string, message: string): AppError {
  return new AppError("VALIDATION_ERROR", message, { field });
}
