import { isDeepStrictEqual } from "node:util";
import { type DesiredCreative } from "../types";
import { creativeSuffix, sizeText, titleOf, toCreativeFields, type CreativeFields } from "./creatives";
import { isServable } from "./line-items";
import { type NewAssociation, type NewCreative } from "./operations";
import { addChunks, count, type PlannedLine, type Planning } from "./planning";
import { associationKey, creativeKey, type CreativeSnapshot, type KnownCreative } from "./snapshots";

/** Creatives and their associations with line items. */

/** Creatives of lines that still get any. */
export function wantsCreatives(planning: Planning, { line, isCreated, fields }: PlannedLine): boolean {
  return !line.isCanceled && (isCreated || fields !== undefined) && Date.parse(line.endsAt) > planning.now.getTime();
}

/** Creates what these lines' creatives lack in the ad server, then associates them. */
export function planLineCreatives(planning: Planning, lines: PlannedLine[]): void {
  const creates = new Map<string, NewCreative & { name: string }>();
  const associations: (NewAssociation & { details: string })[] = [];
  for (const planned of lines.filter((candidate) => wantsCreatives(planning, candidate))) {
    for (const creative of planned.line.creatives) {
      const fields = mapServable(planning, planned, creative);
      if (!fields) continue;
      const existing = findUsable(planning, creative, fields);
      const ourKey = creativeKey(planning.desired.fulfilmentId, creative.creativeId);
      if (!existing && !planning.uploads.has(ourKey)) creates.set(ourKey, { ourKey, suffix: creativeSuffix(creative, planning.desired.suffix), fields, name: titleOf(creative) });
      const association = toAssociation(planning, planned, creative, fields, existing);
      if (association) associations.push(association);
    }
  }
  for (const ourKey of creates.keys()) planning.uploads.add(ourKey);
  addChunks(planning, "create-creatives", [...creates.values()], (chunk) => ({
    summary: `Upload ${count(chunk.length, "creative")}`,
    details: chunk.map(({ name, fields }) => `Creative “${name}”, ${sizeText(fields.size)}, ${describeType(fields)}`),
    payload: { advertiser: planning.order.advertiser, items: chunk.map(({ name: _name, ...item }) => item) },
  }));
  addChunks(planning, "associate-creatives", associations, (chunk) => ({
    summary: `Assign ${count(chunk.length, "creative")}`,
    details: chunk.map(({ details }) => details),
    payload: { order: planning.order, items: chunk.map(({ details: _details, ...item }) => item) },
  }));
}

function mapServable(planning: Planning, planned: PlannedLine, creative: DesiredCreative): CreativeFields | undefined {
  return isServable(planned.line, creative) ? toCreativeFields(creative, planning.desired.suffix).fields : undefined;
}

/** The creative in the ad server that can carry these fields: its kind, size and advertiser cannot change. */
function findUsable(planning: Planning, creative: DesiredCreative, fields: CreativeFields): KnownCreative | undefined {
  const known = planning.known.creatives.get(creativeKey(planning.desired.fulfilmentId, creative.creativeId));
  if (!known) return undefined;
  const { fields: written, advertiserId } = known.snapshot;
  if (written?.type !== undefined && written.type !== fields.type) return undefined;
  if (written?.size !== undefined && !isDeepStrictEqual(written.size, fields.size)) return undefined;
  if (advertiserId && planning.order.advertiser.id && advertiserId !== planning.order.advertiser.id) return undefined;
  return known;
}

function toAssociation(planning: Planning, planned: PlannedLine, creative: DesiredCreative, fields: CreativeFields, existing: KnownCreative | undefined): (NewAssociation & { details: string }) | undefined {
  const ourKey = associationKey(planned.line.packageId, creative.creativeId);
  const current = planning.known.associations.get(ourKey);
  const isSame = current !== undefined && existing !== undefined && current.externalId.endsWith(`/${existing.externalId}`);
  if (isSame && current.snapshot.isActive === true && current.snapshot.weight === creative.weight) return undefined;
  return {
    ourKey, ref: planned.ref, weight: creative.weight,
    creative: { externalId: existing?.externalId ?? null, suffix: creativeSuffix(creative, planning.desired.suffix), size: fields.size, type: fields.type },
    replaces: current && !isSame ? current.externalId : null,
    details: `Creative “${titleOf(creative)}” on line item “${planned.line.productName}”${creative.weight === null ? "" : `, weight ${creative.weight}`}`,
  };
}

/** New content of creatives that are in the ad server already. */
export function planCreativeUpdates(planning: Planning, lines: PlannedLine[]): void {
  const updates = new Map<string, { ourKey: string; externalId: string; snapshot: CreativeSnapshot; name: string }>();
  for (const planned of lines.filter((candidate) => wantsCreatives(planning, candidate))) {
    for (const creative of planned.line.creatives) {
      const fields = mapServable(planning, planned, creative);
      const existing = fields && findUsable(planning, creative, fields);
      if (!fields || !existing || isDeepStrictEqual(existing.snapshot.fields, fields)) continue;
      const snapshot = { advertiserId: existing.snapshot.advertiserId ?? planning.order.advertiser.id, fields };
      const ourKey = creativeKey(planning.desired.fulfilmentId, creative.creativeId);
      updates.set(ourKey, { ourKey, externalId: existing.externalId, snapshot, name: titleOf(creative) });
    }
  }
  addChunks(planning, "update-creatives", [...updates.values()], (chunk) => ({
    summary: `Update ${count(chunk.length, "creative")}`,
    details: chunk.map(({ name, snapshot }) => `Creative “${name}”: new content, ${describeType(snapshot.fields)}`),
    payload: { items: chunk.map(({ name: _name, ...item }) => item) },
  }));
}

function describeType({ type, details }: CreativeFields): string {
  switch (type) {
    case "imageRedirectCreative": return `image ${String(details.imageUrl)}`;
    case "thirdPartyCreative": return "HTML tag";
    case "customCreative": return "native, rendered as HTML";
    case "vastRedirectCreative": return `VAST ${String(details.vastXmlUrl)}`;
  }
}
