import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { env } from "../env";
import { AppError } from "../errors";

/**
 * Addresses that others give us to call. At registration: syntax, scheme and literal addresses. At delivery: the name is resolved, every
 * address of it checked, and the connection made to a checked one, so that a name cannot point elsewhere in between.
 */

const refused = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8], ["10.0.0.0", 8], ["100.64.0.0", 10], ["127.0.0.0", 8], ["169.254.0.0", 16], ["172.16.0.0", 12], ["192.0.0.0", 24], ["192.0.2.0", 24],
  ["192.88.99.0", 24], ["192.168.0.0", 16], ["198.18.0.0", 15], ["198.51.100.0", 24], ["203.0.113.0", 24], ["224.0.0.0", 4], ["240.0.0.0", 4],
] as const) refused.addSubnet(network, prefix, "ipv4");
/** Within the global range: protocol assignments and Teredo, documentation, 6to4. */
for (const [network, prefix] of [["2001::", 23], ["2001:db8::", 32], ["2002::", 16], ["3fff::", 20]] as const) refused.addSubnet(network, prefix, "ipv6");

/** All of IPv6 that is routed on the Internet; mapped, private, link-local and tunnelled forms lie outside. */
const globalV6 = new BlockList();
globalV6.addSubnet("2000::", 3, "ipv6");

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !refused.check(address, "ipv4");
  return family === 6 && globalV6.check(address, "ipv6") && !refused.check(address, "ipv6");
}

function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** `[::1]` → `::1`. The URL parser has already made plain addresses of decimal, octal and hexadecimal ones. */
const bareHost = (url: URL) => url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
const isLocalName = (host: string) => host === "localhost" || host.endsWith(".localhost");

/** Loopback receivers exist in demo mode only, and only by their own names. */
const isDemoLoopback = (url: URL) => env().DEMO && (isLoopback(bareHost(url)) || bareHost(url) === "localhost");

/** Checks what can be checked without asking anybody. Throws VALIDATION_ERROR that names `field`. `what`: whose address it is, in words. */
export function checkReceiverUrl(text: string, field: string, what = "webhook"): URL {
  const refuse = (complaint: string) => new AppError("VALIDATION_ERROR", `The ${what} address ${complaint}.`, { field, suggestion: "Use a public https address." });
  if (text.length > 2_048 || !URL.canParse(text)) throw refuse("is not a URL");
  const url = new URL(text);
  if (url.username || url.password) throw refuse("must not contain a user name or password");
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refuse("must begin with https");
  if (isDemoLoopback(url)) return url;
  if (url.protocol !== "https:") throw refuse("must begin with https");
  const host = bareHost(url);
  if (isIP(host) ? !isPublicAddress(host) : isLocalName(host) || !host.includes(".")) throw refuse("points into a private network");
  return url;
}

export type Resolver = (hostname: string) => Promise<string[]>;

export const resolveByDns: Resolver = async (hostname) => (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address);

/** The address must not be called, now or later. */
export class RefusedAddress extends Error {
  override name = "RefusedAddress";
}

/** The one address to connect to. Throws RefusedAddress if any address of the name is not public; passes on a resolver's own error. */
export async function pinAddress(url: URL, resolve: Resolver): Promise<string> {
  const host = bareHost(url);
  const addresses = isIP(host) ? [host] : await resolve(host);
  const [first] = addresses;
  if (first === undefined) throw new Error(`${host} has no address`);
  if (isDemoLoopback(url) && addresses.every(isLoopback)) return first;
  if (!addresses.every(isPublicAddress)) throw new RefusedAddress(`${host} is an address in a private network.`);
  return first;
}
