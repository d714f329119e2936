import { rememberText } from "../http/node-adapter";

/** A JSON answer to one caller: nothing on the way may keep it. */
export function jsonResponse(status: number, json: string, headers: Record<string, string> = {}): Response {
  return rememberText(new Response(json, { status, headers: { "content-type": "application/json", "cache-control": "no-store", ...headers } }), json);
}
