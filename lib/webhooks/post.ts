import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";

const DEADLINE_MS = 10_000;

/**
 * POSTs to the given address of the URL's host, whatever its name resolves to now; TLS still checks the name. Follows no redirect and
 * reads nothing of the answer but its status. Throws when there is none within ten seconds.
 */
export async function postPinned(url: URL, address: string, headers: Record<string, string>, body: string): Promise<number> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const { request } = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const call = request(url, {
      method: "POST",
      agent: false,
      signal,
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
      lookup: (_hostname, options, callback) => {
        const found = { address, family: isIP(address) };
        if (options.all) callback(null, [found]);
        else callback(null, found.address, found.family);
      },
    }, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    call.on("error", (error) => reject(signal.aborted ? new Error(`No answer within ${DEADLINE_MS / 1_000} s.`) : error));
    call.end(body);
  });
}
