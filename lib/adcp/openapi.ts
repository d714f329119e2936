import packageJson from "../../package.json" with { type: "json" };
import { env } from "../env";
import { visibleTools } from "./registry";
import { READ_PATHS } from "./rest-reads";
import { embedReferences, isObject, type JsonSchema } from "./schemas";
import { type BuyerSession, type Tool } from "./tool";
import { ERROR_ANSWER, toolSchema } from "./tool-schemas";

const COMPONENTS = "#/components/schemas/";

const documents = new Map<string, string>();

/** OpenAPI 3.1 of the REST door: the caller's tools with the protocol's own schemas. Made once for all who see the same tools. */
export function openApiDocument(session: BuyerSession | null): string {
  const tools = visibleTools(session);
  const key = tools.map(({ name }) => name).join();
  const document = documents.get(key) ?? JSON.stringify(build(tools));
  documents.set(key, document);
  return document;
}

function build(tools: readonly Tool[]): JsonSchema {
  const components = new Map<string, JsonSchema>();
  const embed = (schema: JsonSchema, name: string): JsonSchema => embedReferences(schema, `${COMPONENTS}${name}`, COMPONENTS, components, (shared) => shared);
  components.set("Error", embed(ERROR_ANSWER, "Error"));
  const paths: Record<string, Record<string, unknown>> = {};
  for (const tool of tools) {
    for (const direction of ["request", "response"] as const) components.set(`${tool.name}.${direction}`, embed(toolSchema(tool, direction), `${tool.name}.${direction}`));
    paths[`/${tool.name}`] = { post: operation(tool, tool.name, { requestBody: { required: true, content: { "application/json": { schema: { $ref: `${COMPONENTS}${tool.name}.request` } } } } }) };
  }
  for (const { path, list, item } of READ_PATHS) {
    if (list) paths[`/${path}`] = { get: operation(list, `read_${list.name}`, { parameters: queryParameters(list) }) };
    if (item) paths[`/${path}/{id}`] = { get: operation(item.tool, `read_one_${item.tool.name}`, { parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }] }) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Greenlight buyer API", version: packageJson.version,
      description: "AdCP 3 over REST: each tool is a POST with its input as JSON. The same tools, answers and errors as over MCP at /mcp. Capabilities, formats, properties and price-less products need no token.",
    },
    jsonSchemaDialect: "http://json-schema.org/draft-07/schema#",
    servers: [{ url: `${env().publicUrl}/api/v1` }],
    tags: [{ name: "Discovery" }, { name: "Accounts" }, { name: "Creatives" }, { name: "Orders" }],
    paths,
    components: {
      schemas: Object.fromEntries(components),
      securitySchemes: { bearer: { type: "http", scheme: "bearer" }, header: { type: "apiKey", in: "header", name: "x-adcp-auth" } },
      responses: { Error: { description: "A typed error; the HTTP status follows from its code.", content: { "application/json": { schema: { $ref: `${COMPONENTS}Error` } } } } },
    },
  };
}

function operation(tool: Tool, operationId: string, input: Record<string, unknown>): Record<string, unknown> {
  return {
    operationId,
    tags: [tagOf(tool.name)],
    summary: tool.title,
    description: tool.description,
    security: [{ bearer: [] }, { header: [] }, ...(tool.access === "public" ? [{}] : [])],
    ...input,
    responses: {
      200: { description: "The tool's answer, with `status`, and your `context` as you sent it.", content: { "application/json": { schema: { $ref: `${COMPONENTS}${tool.name}.response` } } } },
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

function tagOf(name: string): string {
  if (name.endsWith("_accounts")) return "Accounts";
  if (name.endsWith("_creatives") || name.endsWith("_formats")) return "Creatives";
  return name.includes("media_buy") || name.includes("task") ? "Orders" : "Discovery";
}

/** Top-level fields of the request; objects go as JSON text. */
function queryParameters(tool: Tool): Record<string, unknown>[] {
  const properties = toolSchema(tool, "request").properties;
  const entries = Object.entries(isObject(properties) ? properties : {});
  const fields = entries.filter(([name]) => name !== "pagination").map(([name, schema]) => {
    const inRequest = { $ref: `${COMPONENTS}${tool.name}.request/properties/${name}` };
    const isPlain = isObject(schema) && schema.$ref === undefined && schema.type !== "object";
    return { name, in: "query", required: false, ...(isPlain ? { schema: inRequest } : { content: { "application/json": { schema: inRequest } } }) };
  });
  if (!entries.some(([name]) => name === "pagination")) return fields;
  return [...fields, { name: "max_results", in: "query", required: false, schema: { type: "integer", minimum: 1, maximum: 100, default: 50 } }, { name: "cursor", in: "query", required: false, schema: { type: "string" } }];
}
