import { z } from "zod";
import { withTenant } from "../../db/client";
import { readCatalog } from "../../products/catalog";
import { listPartners } from "../../properties/queries";
import { schemaRef } from "../schemas";
import { type Tool } from "../tool";

const listInput = z.looseObject({ publisher_domains: z.array(z.string()).min(1).optional() });

const DOMAIN = { type: "string", pattern: "^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$" };

/** Gone from the protocol since 3.0 (get_adcp_capabilities and adagents.json say it now) and kept for older buyers, in its last shape. */
export const listAuthorizedPropertiesTool: Tool = {
  kind: "read",
  name: "list_authorized_properties",
  title: "Publishers represented here",
  description: "The publisher domains whose inventory is sold here, with their properties and tags. Newer buyers find the domains in get_adcp_capabilities.",
  access: "public",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  ownSchema: {
    request: {
      type: "object",
      title: "List Authorized Properties Request",
      properties: {
        adcp_major_version: { type: "integer", minimum: 1, maximum: 99, description: "The AdCP major version of this request." },
        publisher_domains: { type: "array", minItems: 1, maxItems: 1_000, items: DOMAIN, description: "Only these publishers; all of them when left out." },
        context: schemaRef("core/context"),
        ext: schemaRef("core/ext"),
      },
      additionalProperties: true,
    },
    response: {
      type: "object",
      title: "List Authorized Properties Response",
      required: ["publisher_domains"],
      properties: {
        publisher_domains: { type: "array", items: DOMAIN },
        publishers: {
          type: "array",
          items: {
            type: "object", required: ["publisher_domain", "property_tags", "properties"],
            properties: { publisher_domain: DOMAIN, property_tags: { type: "array", items: { type: "string" } }, properties: { type: "array", items: schemaRef("core/property") } },
          },
        },
        primary_channels: { type: "array", minItems: 1, items: schemaRef("enums/channels") },
        portfolio_description: { type: "string", minLength: 1, maxLength: 5_000 },
        errors: { type: "array", items: schemaRef("core/error") },
        context: schemaRef("core/context"),
        ext: schemaRef("core/ext"),
      },
      additionalProperties: true,
    },
  },
  async run(call, input) {
    const { publisher_domains: domains } = listInput.parse(input);
    const { channels, publisherName } = await readCatalog(call);
    const partners = await withTenant(call.tenantId, (db) => listPartners(db, call.tenantId, domains));
    return {
      payload: {
        publisher_domains: partners.map(({ publisherDomain }) => publisherDomain),
        publishers: partners.map(({ publisherDomain, tags, properties }) => ({ publisher_domain: publisherDomain, property_tags: tags, properties })),
        ...(channels.length > 0 ? { primary_channels: channels } : {}),
        portfolio_description: publisherName,
      },
      summary: `${partners.length} publisher domains.`,
    };
  },
};
