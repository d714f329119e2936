import { z } from "zod";
import { type AppliedObject, type OperationResult } from "../../types";
import { type GamClient } from "../client";
import { isSameCreative } from "../compare";
import { type CreativeFields } from "../creatives";
import { type NewCreative, type Payload } from "../operations";
import { creativeSchema, idOf, type RemoteCreative } from "../resources";
import { type CreativeSnapshot } from "../snapshots";
import { creativeToWire } from "../wire";
import { findCreatives, lookUp, matchCreative, resolveAdvertiser } from "./lookup";
import { done, unexpectedAnswer } from "./results";

const creativesAnswer = z.object({ creatives: z.array(creativeSchema).default([]) });

export async function createCreatives(client: GamClient, { advertiser, items }: Payload<"create-creatives">): Promise<OperationResult> {
  const advertiserId = await resolveAdvertiser(client, advertiser);
  const match = (creatives: RemoteCreative[], { suffix, fields }: NewCreative) => matchCreative(creatives, { suffix, size: fields.size, type: fields.type });
  const found = await lookUp(client, () => findCreatives(client, advertiserId, items), (creatives) => items.every((item) => match(creatives, item)));
  const existing = items.flatMap((item) => {
    const remote = match(found, item);
    return remote ? [{ item, remote }] : [];
  });
  const missing = items.filter((item) => !match(found, item));
  const stale = existing.filter(({ item, remote }) => !isSameCreative(remote, item.fields));
  if (stale.length > 0) await patchCreatives(client, stale.map(({ item, remote }) => ({ id: idOf(remote.name), fields: item.fields })));
  const created = missing.length === 0 ? [] : await postCreatives(client, missing.map(({ fields }) => fields), advertiserId);
  const objects = items.map((item): AppliedObject => {
    const remote = match(found, item) ?? match(created, item);
    if (!remote) throw unexpectedAnswer(client, `creative “${item.fields.displayName}”`);
    const applied: CreativeSnapshot = { advertiserId, fields: item.fields };
    return { kind: "creative", ourKey: item.ourKey, externalId: idOf(remote.name), applied };
  });
  return done(client, objects, existing.length === 0 ? undefined : `${existing.length} of ${items.length} existed already.`);
}

async function postCreatives(client: GamClient, fields: CreativeFields[], advertiserId: string): Promise<RemoteCreative[]> {
  const requests = fields.map((creative) => ({ parent: client.network, creative: creativeToWire(creative, client.name("companies", advertiserId)) }));
  const { creatives } = await client.post(`${client.network}/creatives:batchCreate`, { requests }, creativesAnswer);
  if (creatives.length !== fields.length) throw unexpectedAnswer(client, `all ${fields.length} creatives`);
  return creatives;
}

async function patchCreatives(client: GamClient, patches: { id: string; fields: CreativeFields }[]): Promise<void> {
  const requests = patches.map(({ id, fields: { displayName, type, details } }) => ({
    creative: { name: client.name("creatives", id), displayName, [type]: details }, updateMask: `displayName,${type}`,
  }));
  const { creatives } = await client.post(`${client.network}/creatives:batchUpdate`, { requests }, creativesAnswer);
  const updated = new Set(creatives.map(({ name }) => idOf(name)));
  if (patches.some(({ id }) => !updated.has(id))) throw unexpectedAnswer(client, `all ${patches.length} creatives`);
}

export async function updateCreatives(client: GamClient, { items }: Payload<"update-creatives">): Promise<OperationResult> {
  await patchCreatives(client, items.map(({ externalId, snapshot }) => ({ id: externalId, fields: snapshot.fields })));
  return done(client, items.map(({ ourKey, externalId, snapshot }): AppliedObject => ({ kind: "creative", ourKey, externalId, applied: snapshot })));
}
