import { AppError } from "./errors";

/** Money is bigint micros (millionths of the currency's unit) beside an ISO 4217 code. Never a float, except as JSON at the protocol's edge. */
export const MICROS = 1_000_000n;
/** What a bigint column holds. */
const LARGEST_MICROS = 2n ** 63n - 1n;

/**
 * Micros of a JSON number or decimal string, exact to six places.
 * Throws VALIDATION_ERROR when it is not finite, has more than six decimals, or is beyond bigint columns.
 */
export function parseMicros(amount: number | string, field?: string): bigint {
  const text = typeof amount === "number" ? decimalText(amount) : amount.trim();
  const match = /^(-?)(\d{1,13})(?:\.(\d{1,6}))?$/.exec(text);
  if (!match) throw new AppError("VALIDATION_ERROR", "The amount is not a number with at most six decimals.", { field });
  const [, sign, whole = "0", fraction = ""] = match;
  const micros = BigInt(whole) * MICROS + BigInt(fraction.padEnd(6, "0"));
  if (micros > LARGEST_MICROS) throw new AppError("VALIDATION_ERROR", "The amount is too large.", { field });
  return sign ? -micros : micros;
}

function decimalText(amount: number): string {
  if (!Number.isFinite(amount)) return "";
  const text = String(amount);
  return text.includes("e") ? amount.toFixed(6) : text;
}

/** The number for a JSON answer: 12_500_000n → 12.5. */
export function microsToNumber(micros: bigint): number {
  return Number(microsToDecimal(micros));
}

/** Exact decimal text: 12_500_000n → "12.5". */
export function microsToDecimal(micros: bigint): string {
  const absolute = micros < 0n ? -micros : micros;
  const fraction = (absolute % MICROS).toString().padStart(6, "0").replace(/0+$/, "");
  return `${micros < 0n ? "-" : ""}${absolute / MICROS}${fraction ? `.${fraction}` : ""}`;
}

const formatters = new Map<string, Intl.NumberFormat>();

/** For screens: `formatMoney(12_500_000n, "USD")` → "$12.50". Locale is fixed to en-US; the currency is always shown. */
export function formatMoney(micros: bigint, currency: string): string {
  let formatter = formatters.get(currency);
  if (!formatter) {
    formatter = new Intl.NumberFormat("en-US", { style: "currency", currency, currencyDisplay: "symbol" });
    formatters.set(currency, formatter);
  }
  return formatter.format(microsToNumber(micros));
}
