import { z } from "zod";
import { type AssetType } from "./formats";

/** The parts of the protocol's assets that we use. The dispatcher has checked the whole schema; further fields pass through. */
const imageAsset = z.looseObject({ asset_type: z.literal("image"), url: z.string(), width: z.number(), height: z.number(), format: z.string().optional() });
const videoAsset = z.looseObject({ asset_type: z.literal("video"), url: z.string(), width: z.number(), height: z.number(), duration_ms: z.number().optional(), container_format: z.string().optional() });
const audioAsset = z.looseObject({ asset_type: z.literal("audio"), url: z.string(), duration_ms: z.number().optional() });
const vastAsset = z.looseObject({ asset_type: z.literal("vast"), delivery_type: z.enum(["url", "inline"]), url: z.string().optional(), duration_ms: z.number().optional() });
const htmlAsset = z.looseObject({ asset_type: z.literal("html"), content: z.string() });
const textAsset = z.looseObject({ asset_type: z.literal("text"), content: z.string() });
const urlAsset = z.looseObject({ asset_type: z.literal("url"), url: z.string() });

const usableAsset = z.discriminatedUnion("asset_type", [imageAsset, videoAsset, audioAsset, vastAsset, htmlAsset, textAsset, urlAsset]);
export type UsableAsset = z.infer<typeof usableAsset>;

/** The asset in a form we can serve, or undefined for every other kind. */
export function readAsset(value: unknown): UsableAsset | undefined {
  const result = usableAsset.safeParse(value);
  return result.success ? result.data : undefined;
}

/** The asset under this key if it is of the type wanted. */
export function readAssetOf<T extends AssetType>(assets: Record<string, unknown>, assetId: string, type: T): Extract<UsableAsset, { asset_type: T }> | undefined {
  const asset = Object.hasOwn(assets, assetId) ? readAsset(assets[assetId]) : undefined;
  return asset && isOfType(asset, type) ? asset : undefined;
}

function isOfType<T extends AssetType>(asset: UsableAsset, type: T): asset is Extract<UsableAsset, { asset_type: T }> {
  return asset.asset_type === type;
}
