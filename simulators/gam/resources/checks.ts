import type { Call } from "../call";
import { invalidField } from "../errors";
import { objectOf, textOf, type JsonObject } from "../json";
import { moneyMicros } from "../scalars";
import type { Collection, Row } from "../table";

export function checkLength(object: JsonObject, key: string, max: number, path: string): void {
  const value = textOf(object, key);
  if (value !== undefined && [...value].length > max) {
    throw invalidField(`${path}.${key}`, `${key} has a maximum length of ${max} characters.`, "STRING_LENGTH_ERROR_TOO_LONG");
  }
}

/** The row that a resource name refers to; reads may not show it yet, writes may name it already. */
export function resolveReference(call: Call, collection: Collection, name: string, path: string): Row {
  const row = call.network.tables[collection].get(name);
  if (!row) throw invalidField(path, `${name} does not exist in this network.`, "COMMON_ERROR_NOT_FOUND");
  return row;
}

export function checkMoney(call: Call, object: JsonObject, key: string, path: string): void {
  const money = objectOf(object, key);
  if (!money) return;
  const currency = textOf(call.network.resource, "currencyCode");
  if (money["currencyCode"] !== currency) {
    throw invalidField(`${path}.${key}.currencyCode`, `The network's currency is ${currency ?? "unknown"}.`, "LINE_ITEM_ERROR_INVALID_CURRENCY");
  }
  if (moneyMicros(money) < 0n) throw invalidField(`${path}.${key}`, `${key} must not be negative.`, "RANGE_ERROR_TOO_LOW");
}

export function checkUrl(object: JsonObject, key: string, path: string): void {
  const value = textOf(object, key);
  if (value === undefined) return;
  const isWeb = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
  if (!isWeb || value.length > 1024) throw invalidField(`${path}.${key}`, `${key} must be an http(s) URL of at most 1024 characters.`, "CREATIVE_ERROR_INVALID_URL");
}
