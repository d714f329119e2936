import { getAdcpCapabilitiesTool } from "./tools/get-adcp-capabilities";
import { getMediaBuysTool } from "./tools/get-media-buys";
import { getProductsTool } from "./tools/get-products";
import { listAccountsTool } from "./tools/list-accounts";
import { listAuthorizedPropertiesTool } from "./tools/list-authorized-properties";
import { listCreativeFormatsTool } from "./tools/list-creative-formats";
import { listCreativesTool } from "./tools/list-creatives";
import { tasksGetTool } from "./tools/tasks-get";
import { tasksListTool } from "./tools/tasks-list";
import { isObject } from "./schemas";
import { type Tool } from "./tool";
import { toolSchema } from "./tool-schemas";

/** A read by its address. `fixed` is input that the address decides. */
export type Read = { tool: Tool; fixed: Record<string, unknown> };

/** Addresses that people would guess. `item` names the tool behind `/<path>/<id>` and the input that the id fills. */
export const READ_PATHS: readonly { path: string; list?: Tool; item?: { tool: Tool; parameter: string; isList: boolean } }[] = [
  { path: "capabilities", list: getAdcpCapabilitiesTool },
  { path: "products", list: getProductsTool },
  { path: "creative-formats", list: listCreativeFormatsTool },
  { path: "properties", list: listAuthorizedPropertiesTool },
  { path: "accounts", list: listAccountsTool },
  { path: "creatives", list: listCreativesTool },
  { path: "media-buys", list: getMediaBuysTool, item: { tool: getMediaBuysTool, parameter: "media_buy_ids", isList: true } },
  { path: "tasks", list: tasksListTool, item: { tool: tasksGetTool, parameter: "task_id", isList: false } },
];

export function findRead(path: string): Read | undefined {
  const [first, id, ...more] = path.split("/");
  const entry = READ_PATHS.find((candidate) => candidate.path === first);
  if (!entry || more.length > 0) return undefined;
  if (id === undefined) return entry.list && { tool: entry.list, fixed: {} };
  return entry.item && id !== "" ? { tool: entry.item.tool, fixed: { [entry.item.parameter]: entry.item.isList ? [id] : id } } : undefined;
}

/** Query parameters as the tool's input: by the schema's types; `max_results` and `cursor` are the page; a repeated one is a list. */
export function readQuery({ tool, fixed }: Read, query: URLSearchParams): Record<string, unknown> {
  const properties = toolSchema(tool, "request").properties;
  const input: Record<string, unknown> = {};
  const pagination: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    const [value = ""] = values;
    if (name === "max_results") pagination.max_results = toNumber(value);
    else if (name === "cursor") pagination.cursor = value;
    else input[name] = convert(values, value, isObject(properties) ? properties[name] : undefined);
  }
  return { ...input, ...(Object.keys(pagination).length > 0 ? { pagination } : {}), ...fixed };
}

function convert(values: string[], value: string, schema: unknown): unknown {
  if (!isObject(schema)) return value;
  if (schema.type === "array") return values.map((item) => (isObject(schema.items) ? convert([item], item, schema.items) : item));
  if (schema.type === "integer" || schema.type === "number") return toNumber(value);
  if (schema.type === "boolean") return value === "true" ? true : value === "false" ? false : value;
  return schema.type === "object" || schema.$ref !== undefined ? toJson(value) : value;
}

/** What is not a number stays text, which the schema then refuses by name. */
function toNumber(value: string): number | string {
  const number = Number(value);
  return value.trim() === "" || !Number.isFinite(number) ? value : number;
}

function toJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
