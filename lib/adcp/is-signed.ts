/** Half a signature counts: it is refused, not ignored. */
export function isSigned(headers: Headers): boolean {
  return headers.has("signature-input") || headers.has("signature");
}
