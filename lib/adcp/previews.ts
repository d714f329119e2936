import { findStaffPreview } from "../creatives/staff-preview";
import { findPreview, PREVIEW_PATH, PREVIEW_POLICY } from "../creatives/preview";

/** A creative's page, for whoever was given its address, or for staff. Its policy takes away our origin, so that nothing in it is ours. */
export async function handlePreview(request: Request, pathname: string): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  const token = pathname.slice(PREVIEW_PATH.length);
  const html = token.includes(".") ? await findStaffPreview(token, new Date()) : await findPreview(token);
  if (html === undefined) return new Response("This preview has ended, or never was.\n", { status: 404, headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" } });
  return new Response(html, {
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": PREVIEW_POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "private, no-store", "cross-origin-resource-policy": "cross-origin" },
  });
}
