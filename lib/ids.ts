import { randomFillSync } from "node:crypto";

/**
 * Our ids are UUIDv7 (time-ordered), stored as `uuid`. On the wire they carry a prefix and 26 characters of Crockford base32.
 * Conversion happens at the door only; an id that does not parse is "not found".
 */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

export const ID_PREFIXES = { mediaBuy: "mb", package: "pkg", task: "task", account: "acc", principal: "pr", webhook: "wh", audience: "aud", creative: "cr" } as const;
export type IdKind = keyof typeof ID_PREFIXES;

/** Randomness for many ids at once: a call to the system for each would cost more than the id. */
const randomness = Buffer.alloc(16 * 256);
let used = randomness.length;

export function newId(nowMs: number = Date.now()): string {
  if (used === randomness.length) {
    randomFillSync(randomness);
    used = 0;
  }
  const bytes = Buffer.from(randomness.subarray(used, (used += 16)));
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function toWireId(kind: IdKind, uuid: string): string {
  let value = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let text = "";
  for (let i = 0; i < 26; i += 1) {
    text = ALPHABET.charAt(Number(value & 31n)) + text;
    value >>= 5n;
  }
  return `${ID_PREFIXES[kind]}_${text}`;
}

/** The uuid behind a wire id, or undefined when it is not one of this kind. */
export function fromWireId(kind: IdKind, wireId: string): string | undefined {
  const prefix = `${ID_PREFIXES[kind]}_`;
  if (!wireId.startsWith(prefix) || wireId.length !== prefix.length + 26) return undefined;
  let value = 0n;
  for (const character of wireId.slice(prefix.length)) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return undefined;
    value = (value << 5n) | BigInt(digit);
  }
  if (value >> 128n) return undefined;
  const hex = value.toString(16).padStart(32, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Whether text from an address or a form is a uuid at all; one that is not is "not found". */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
