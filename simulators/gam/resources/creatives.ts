import { parentOf, type Call, type Handler } from "../call";
import { invalidField } from "../errors";
import { objectOf, objectsOf, textOf, type JsonObject } from "../json";
import { getMessage } from "../schema";
import { batchAction } from "./actions";
import { checkLength, checkUrl, resolveReference } from "./checks";
import { touch } from "./crud";
import { showStored, type WritableKind } from "./kind";

const MAX_NAMES = 100;

const detailNames = [...getMessage("Creative").values()].filter((field) => field.oneof === "details").map((field) => field.name);

/** Kinds that Ad Manager makes itself. */
const uncreatable: ReadonlySet<string> = new Set(["legacyDfpCreative", "programmaticCreative", "richMediaStudioCreative", "imageRedirectOverlayCreative"]);

const unbadged: ReadonlySet<string> = new Set(["vastRedirectCreative", "thirdPartyCreative", "audioRedirectCreative"]);

/** Kinds whose click leads somewhere: a URL, unless the type of destination is NONE. */
const clickable: ReadonlySet<string> = new Set(["imageCreative", "imageRedirectCreative", "aspectRatioImageCreative", "customCreative"]);

export const creativeKind: WritableKind = {
  collection: "creatives",
  message: "Creative",
  singular: "creative",
  plural: "creatives",
  filterFields: ["advertiser", "displayName", "name", "size.height", "size.width", "updateTime"],
  render: showStored,
  build: (call, input, path) => {
    const detail = checkCreative(call, input, path);
    if (uncreatable.has(detail)) throw invalidField(`${path}.${detail}`, "Creatives of this kind cannot be created.", "CREATIVE_ERROR_CANNOT_CREATE_OR_UPDATE_CREATIVE_TYPE");
    const name = `${parentOf(call)}/creatives/${call.transaction.nextId("creatives")}`;
    const resource = { adBadgingEnabled: !unbadged.has(detail), ...input, [detail]: withStoredAssets(call, input, detail, path) };
    return { name, resource, hidden: {} };
  },
  revise: (call, before, after, _input, path) => {
    const detail = checkCreative(call, after, path);
    if (before.resource[detail] === undefined) throw invalidField(`${path}.${detail}`, "A creative's kind cannot change.", "CREATIVE_ERROR_CANNOT_CHANGE_TYPE");
    return { resource: { ...after, [detail]: withStoredAssets(call, after, detail, path) }, hidden: before.hidden };
  },
};

/** The key of the one details message that is set. */
function checkCreative(call: Call, creative: JsonObject, path: string): string {
  checkLength(creative, "displayName", 255, path);
  const advertiser = resolveReference(call, "companies", textOf(creative, "advertiser") ?? "", `${path}.advertiser`);
  if (!/ADVERTISER$/.test(textOf(advertiser.resource, "type") ?? "")) throw invalidField(`${path}.advertiser`, `${advertiser.name} is no advertiser.`, "CREATIVE_ERROR_INVALID_ADVERTISER");
  const [detail, ...others] = detailNames.filter((name) => creative[name] !== undefined);
  if (detail === undefined || others.length > 0) throw invalidField(path, `Exactly one of ${detailNames.join(", ")} must be set.`, "REQUIRED_ERROR_REQUIRED");
  checkDetails(detail, objectOf(creative, detail) ?? {}, `${path}.${detail}`);
  return detail;
}

function checkDetails(detail: string, details: JsonObject, path: string): void {
  for (const key of ["imageUrl", "vastXmlUrl", "destinationUrl", "clickTrackingUrl", "internalRedirectUrl"]) checkUrl(details, key, path);
  if (detail === "thirdPartyCreative" && textOf(details, "snippet") === undefined) {
    throw invalidField(`${path}.snippet`, "snippet is required.", "REQUIRED_ERROR_REQUIRED");
  }
  const leadsNowhere = textOf(details, "destinationUrlType") === "NONE";
  if (clickable.has(detail) && !leadsNowhere && textOf(details, "destinationUrl") === undefined) {
    throw invalidField(`${path}.destinationUrl`, "destinationUrl is required unless destinationUrlType is NONE.", "REQUIRED_ERROR_REQUIRED");
  }
}

const assetFields: Readonly<Record<string, readonly string[]>> = {
  imageCreative: ["primaryImageAsset", "secondaryImageAssets"],
  imageOverlayCreative: ["primaryImageAsset"],
  aspectRatioImageCreative: ["imageAssets"],
  html5Creative: ["html5Asset"],
};

/** Uploaded bytes become assets with a name, a size and an address; the bytes are never shown again. */
function withStoredAssets(call: Call, creative: JsonObject, detail: string, path: string): JsonObject {
  const details = { ...objectOf(creative, detail) };
  const fallbackSize = objectOf(creative, "size");
  for (const key of assetFields[detail] ?? []) {
    const assetPath = `${path}.${detail}.${key}`;
    const single = objectOf(details, key);
    const several = objectsOf(details, key);
    if (single) details[key] = storeAsset(call, single, fallbackSize, assetPath);
    else if (several.length > 0) details[key] = several.map((asset) => storeAsset(call, asset, fallbackSize, assetPath));
  }
  if (detail === "customCreative" && objectsOf(details, "customCreativeAssets").length > 0) {
    details["customCreativeAssets"] = objectsOf(details, "customCreativeAssets").map((entry) => ({
      ...entry,
      asset: storeAsset(call, objectOf(entry, "asset") ?? {}, undefined, `${path}.${detail}.customCreativeAssets`),
    }));
  }
  return details;
}

function storeAsset(call: Call, asset: JsonObject, size: JsonObject | undefined, path: string): JsonObject {
  const bytes = textOf(asset, "assetByteArray");
  if (bytes === undefined) {
    if (textOf(asset, "asset") === undefined) throw invalidField(path, "asset or assetByteArray is required.", "REQUIRED_ERROR_REQUIRED");
    return asset;
  }
  const fileName = textOf(asset, "fileName");
  if (fileName === undefined) throw invalidField(`${path}.fileName`, "fileName is required.", "REQUIRED_ERROR_REQUIRED");
  const id = call.transaction.nextId("creatives");
  return {
    ...(size ? { size } : {}),
    ...asset,
    asset: `${parentOf(call)}/assets/${id}`,
    fileSize: String(Buffer.from(bytes, "base64").length),
    assetUrl: `https://tpc.googlesyndication.com/simgad/${id}`,
  };
}

function setInactive(isInactive: boolean): Handler {
  return batchAction({
    kind: creativeKind,
    maxNames: MAX_NAMES,
    apply: (call, row) => {
      if ((row.hidden.isInactive ?? false) === isInactive) return;
      call.transaction.put("creatives", { ...row, resource: touch(creativeKind, call, row.resource), hidden: { ...row.hidden, isInactive } });
    },
  });
}

/** By the verb in `creatives:verb`. */
export const creativeActions: Readonly<Record<string, Handler>> = {
  batchActivate: setInactive(false),
  batchDeactivate: setInactive(true),
};
