import { z } from "zod";
import { type AppliedObject, type OperationResult } from "../../types";
import { type GamClient } from "../client";
import { type NewAssociation, type Payload } from "../operations";
import { associationSchema, idOf, type RemoteAssociation } from "../resources";
import { type AssociationSnapshot } from "../snapshots";
import { associationId, associationName, findAssociations, findCreatives, lookUp, matchCreative, notVisibleYet, resolveAdvertiser, resolveLineItems } from "./lookup";
import { done, unexpectedAnswer } from "./results";

const associationsAnswer = z.object({ lineItemCreativeAssociations: z.array(associationSchema).default([]) });
const emptyAnswer = z.object({});

/** What Ad Manager gives an association that names no weight. */
const DEFAULT_WEIGHT = 10;

type Wanted = { item: NewAssociation; id: string; lineItemId: string; creativeId: string };

/** Each is there, active and of its weight afterwards, whatever was before. */
export async function associateCreatives(client: GamClient, payload: Payload<"associate-creatives">): Promise<OperationResult> {
  const wanted = await resolveAll(client, payload);
  const replaced = wanted.flatMap(({ item, id }) => (item.replaces !== null && item.replaces !== id ? [item.replaces] : []));
  const lineItemIds = [...wanted.map(({ lineItemId }) => lineItemId), ...replaced.map((id) => id.split("/")[0] ?? "")];
  const found = await lookUp(client, () => findAssociations(client, lineItemIds), (existing) => wanted.every(({ id }) => existing.has(id)));

  const missing = wanted.filter(({ id }) => !found.has(id));
  if (missing.length > 0) await postAssociations(client, missing);
  await setActive(client, "batchActivate", wanted.filter(({ id }) => isStatus(found, id, "INACTIVE")).map(({ id }) => id));
  await setWeights(client, wanted.filter(({ id, item }) => found.has(id) && found.get(id)?.manualCreativeRotationWeight !== (item.weight ?? DEFAULT_WEIGHT)));
  // Only once its successor serves.
  await setActive(client, "batchDeactivate", replaced.filter((id) => isStatus(found, id, "ACTIVE")));

  return done(client, wanted.map(({ item, id, lineItemId, creativeId }): AppliedObject => {
    const applied: AssociationSnapshot = { lineItemId, creativeId, weight: item.weight, isActive: true };
    return { kind: "association", ourKey: item.ourKey, externalId: id, applied };
  }));
}

async function resolveAll(client: GamClient, { order, items }: Payload<"associate-creatives">): Promise<Wanted[]> {
  const lineItems = items.some(({ ref }) => ref.lineItemId === null) ? await resolveLineItems(client, order, items.map(({ ref }) => ref)) : new Map<string, { name: string }>();
  const unknown = items.filter(({ creative }) => creative.externalId === null).map(({ creative }) => creative);
  const creatives = unknown.length === 0 ? [] : await lookUp(
    client, async () => findCreatives(client, await resolveAdvertiser(client, order.advertiser), unknown), (found) => unknown.every((creative) => matchCreative(found, creative)),
  );
  return items.map((item) => {
    const lineItemId = item.ref.lineItemId ?? idOf(lineItems.get(item.ref.externalLineItemId)?.name ?? "");
    const creativeId = item.creative.externalId ?? idOf(matchCreative(creatives, item.creative)?.name ?? "");
    if (lineItemId === "" || creativeId === "") throw notVisibleYet(creativeId === "" ? `creative ${item.creative.suffix}` : `line item ${item.ref.externalLineItemId}`);
    return { item, id: `${lineItemId}/${creativeId}`, lineItemId, creativeId };
  });
}

async function postAssociations(client: GamClient, missing: Wanted[]): Promise<void> {
  const parent = `${client.network}/lineItems/-`;
  const requests = missing.map(({ item, lineItemId, creativeId }) => ({
    parent,
    lineItemCreativeAssociation: {
      lineItem: client.name("lineItems", lineItemId), creative: client.name("creatives", creativeId), ...(item.weight === null ? {} : { manualCreativeRotationWeight: item.weight }),
    },
  }));
  const { lineItemCreativeAssociations } = await client.post(`${parent}/creatives:batchCreate`, { requests }, associationsAnswer);
  const created = new Set(lineItemCreativeAssociations.map(associationId));
  if (missing.some(({ id }) => !created.has(id))) throw unexpectedAnswer(client, `all ${missing.length} associations`);
}

async function setWeights(client: GamClient, changes: Wanted[]): Promise<void> {
  if (changes.length === 0) return;
  const requests = changes.map(({ item, id }) => ({
    lineItemCreativeAssociation: { name: associationName(client, id), manualCreativeRotationWeight: item.weight ?? DEFAULT_WEIGHT }, updateMask: "manualCreativeRotationWeight",
  }));
  await client.post(`${client.network}/lineItems/-/creatives:batchUpdate`, { requests }, associationsAnswer);
}

async function setActive(client: GamClient, verb: "batchActivate" | "batchDeactivate", ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await client.post(`${client.network}/lineItems/-/creatives:${verb}`, { names: ids.map((id) => associationName(client, id)) }, emptyAnswer);
}

function isStatus(found: Map<string, RemoteAssociation>, id: string, status: string): boolean {
  return found.get(id)?.status === status;
}

/** One that is gone, deleted in Ad Manager by hand, serves no more either. */
export async function deactivateAssociations(client: GamClient, { items }: Payload<"deactivate-associations">): Promise<OperationResult> {
  const found = await findAssociations(client, items.map(({ externalId }) => externalId.split("/")[0] ?? ""));
  await setActive(client, "batchDeactivate", items.map(({ externalId }) => externalId).filter((id) => isStatus(found, id, "ACTIVE")));
  return done(client, items.map(({ ourKey, externalId, snapshot }): AppliedObject => ({ kind: "association", ourKey, externalId, applied: snapshot })));
}
