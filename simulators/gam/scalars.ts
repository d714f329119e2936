import type { Json, JsonObject } from "./json";
import { isObject } from "./json";

/** Reads one scalar by the rules of proto3 JSON; undefined means "not of this type". */
export type ScalarReader = (value: Json) => Json | undefined;

const INT32_MAX = 2_147_483_647n;
const INT64_MAX = 9_223_372_036_854_775_807n;

function readInteger(value: Json, max: bigint): bigint | undefined {
  if (typeof value === "number" && !Number.isSafeInteger(value)) return undefined;
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const text = String(value);
  if (!/^-?\d{1,19}$/.test(text)) return undefined;
  const integer = BigInt(text);
  return integer > max || integer < -max - 1n ? undefined : integer;
}

/** RFC 3339 with any offset in; UTC with the shortest fraction out, as Google prints it. */
export function readTimestamp(value: Json): string | undefined {
  if (typeof value !== "string") return undefined;
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/.test(value)) return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : formatTimestamp(date);
}

export function formatTimestamp(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}

function readDuration(value: Json): string | undefined {
  return typeof value === "string" && /^-?\d{1,12}(\.\d{1,9})?s$/.test(value) ? value : undefined;
}

function readMoney(value: Json): JsonObject | undefined {
  if (!isObject(value)) return undefined;
  const { currencyCode, units = "0", nanos = 0, ...rest } = value;
  if (Object.keys(rest).length > 0) return undefined;
  if (typeof currencyCode !== "string" || !/^[A-Z]{3}$/.test(currencyCode)) return undefined;
  const whole = readInteger(units, INT64_MAX);
  const fraction = readInteger(nanos, 999_999_999n);
  if (whole === undefined || fraction === undefined) return undefined;
  if ((whole > 0n && fraction < 0n) || (whole < 0n && fraction > 0n)) return undefined;
  const money: JsonObject = { currencyCode };
  if (whole !== 0n) money["units"] = String(whole);
  if (fraction !== 0n) money["nanos"] = Number(fraction);
  return money;
}

export const scalarReaders: ReadonlyMap<string, ScalarReader> = new Map<string, ScalarReader>([
  ["string", (value) => (typeof value === "string" ? value : undefined)],
  ["bool", (value) => (typeof value === "boolean" ? value : undefined)],
  ["bytes", (value) => (typeof value === "string" && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value) ? value : undefined)],
  ["double", (value) => (typeof value === "number" ? value : undefined)],
  ["int32", (value) => {
    const integer = readInteger(value, INT32_MAX);
    return integer === undefined ? undefined : Number(integer);
  }],
  ["int64", (value) => readInteger(value, INT64_MAX)?.toString()],
  ["google.protobuf.Timestamp", readTimestamp],
  ["google.protobuf.Duration", readDuration],
  ["google.type.Money", readMoney],
]);

/** An amount in millionths; GAM keeps money to that precision. */
export function moneyMicros(money: JsonObject): bigint {
  const units = money["units"];
  const nanos = money["nanos"];
  return BigInt(typeof units === "string" ? units : 0) * 1_000_000n + BigInt(typeof nanos === "number" ? nanos : 0) / 1000n;
}

export function moneyOf(micros: bigint, currencyCode: string): JsonObject {
  const money: JsonObject = { currencyCode };
  const units = micros / 1_000_000n;
  const nanos = Number(micros % 1_000_000n) * 1000;
  if (units !== 0n) money["units"] = String(units);
  if (nanos !== 0) money["nanos"] = nanos;
  return money;
}
