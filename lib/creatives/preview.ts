import { randomBytes } from "node:crypto";
import { and, desc, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { toWireError } from "../adcp/wire-error";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { sha256 } from "../crypto";
import { lookUp } from "../db/client";
import { AppError } from "../errors";
import { newId } from "../ids";
import { addMs, HOUR_MS } from "../time";
import { findFormat, type FormatDefinition } from "./formats";
import { type PreviewInput, renderPreview } from "./render-preview";
import { creativePreviews, creatives } from "./schema";
import { checkAssets } from "./validate";

/** Below the door's origin: `<origin>/previews/<token>`. */
export const PREVIEW_PATH = "/previews/";

const LIFETIME_MS = 24 * HOUR_MS;
const PREVIEWS_MAX = 100;
/** No cookies and no origin of ours: whatever a creative does, it does to itself. */
const SANDBOX = "allow-scripts allow-popups";
export const PREVIEW_POLICY = `sandbox ${SANDBOX}; default-src 'none'; img-src https: http: data:; media-src https: http:; style-src 'unsafe-inline' https:; script-src 'unsafe-inline' https:; font-src https: data:; frame-src https:; connect-src https:`;

const manifest = z.looseObject({ format_id: z.looseObject({ id: z.string() }), assets: z.record(z.string(), z.unknown()), creative_id: z.string().optional() });
const inputs = z.array(z.looseObject({ name: z.string(), macros: z.record(z.string(), z.string()).optional() })).min(1);
const single = z.looseObject({ creative_manifest: manifest, inputs: inputs.optional(), output_format: z.enum(["url", "html"]).optional() });
const previewRequest = z.discriminatedUnion("request_type", [
  single.extend({ request_type: z.literal("single") }),
  z.looseObject({ request_type: z.literal("batch"), requests: z.array(single), output_format: z.enum(["url", "html"]).optional() }),
  z.looseObject({ request_type: z.literal("variant"), variant_id: z.string(), creative_id: z.string().optional(), output_format: z.enum(["url", "html"]).optional() }),
]);
type Single = z.infer<typeof single>;
type Output = "url" | "html";

/** Pages that show creatives, by address for a day or as HTML: of manifests, or of a variant, which here is a creative of the library. */
export async function previewCreatives(ctx: Ctx, { session, request, agentUrl }: { session: BuyerSession; request: Record<string, unknown>; agentUrl: string }): Promise<Record<string, unknown>> {
  const input = previewRequest.parse(request);
  const expiresAt = addMs(ctx.now, LIFETIME_MS);
  const publisher = new Publisher(ctx, session, agentUrl, expiresAt);
  const expiry = { expires_at: expiresAt.toISOString() };
  switch (input.request_type) {
    case "single":
      return { response_type: "single", previews: await publisher.publish(input, input.output_format ?? "url"), ...expiry };
    case "batch": {
      const results = [];
      for (const [index, item] of input.requests.entries()) results.push(await publishOne(publisher, item, item.output_format ?? input.output_format ?? "url", index, expiry));
      return { response_type: "batch", results };
    }
    case "variant": {
      const creative = await findOwn(ctx, session, input.variant_id, input.creative_id);
      const shown = { creative_manifest: { format_id: creative.formatId, assets: creative.assets }, inputs: [{ name: creative.name }] };
      const previews = (await publisher.publish(shown, input.output_format ?? "url")).map(({ input: _input, ...preview }) => preview);
      return { response_type: "variant", variant_id: input.variant_id, creative_id: creative.creativeId, previews, manifest: shown.creative_manifest, ...expiry };
    }
  }
}

async function publishOne(publisher: Publisher, item: Single, output: Output, index: number, expiry: Record<string, string>): Promise<Record<string, unknown>> {
  const creativeId = item.creative_manifest.creative_id ?? String(index);
  try {
    return { success: true, creative_id: creativeId, response: { previews: await publisher.publish(item, output, `requests[${index}].`), ...expiry } };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { success: false, creative_id: creativeId, errors: [toWireError(error)] };
  }
}

async function findOwn(ctx: Ctx, session: BuyerSession, variantId: string, creativeId: string | undefined) {
  const [found] = creativeId !== undefined && creativeId !== variantId ? [] : await ctx.db.select().from(creatives)
    .where(and(eq(creatives.tenantId, ctx.tenantId), eq(creatives.principalId, session.principalId), eq(creatives.creativeId, variantId), isNull(creatives.archivedAt)))
    .orderBy(desc(creatives.updatedAt), desc(creatives.id)).limit(1);
  if (!found) throw new AppError("CREATIVE_NOT_FOUND", "You have no such variant here.", { field: "variant_id", suggestion: "Find variants with get_creative_delivery." });
  return found;
}

type Preview = { preview_id: string; renders: Record<string, unknown>[]; input: PreviewInput };

class Publisher {
  private made = 0;

  constructor(private readonly ctx: Ctx, private readonly session: BuyerSession, private readonly agentUrl: string, private readonly expiresAt: Date) {}

  /** One preview per input. Throws the first thing that keeps the manifest from being shown. */
  async publish({ creative_manifest: { format_id: formatId, assets }, inputs: asked = [{ name: "Default" }] }: Single, output: Output, path = ""): Promise<Preview[]> {
    const field = `${path}creative_manifest`;
    const format = findFormat(formatId.id);
    if (!format) throw new AppError("VALIDATION_ERROR", "This publisher knows no format with this id.", { field: `${field}.format_id.id`, suggestion: "Choose one from list_creative_formats." });
    const [mistake] = checkAssets(format, assets);
    if (mistake) throw new AppError(mistake.code, mistake.userMessage, { field: `${field}.${mistake.field ?? "assets"}` });
    const previews: Preview[] = [];
    for (const input of asked) {
      this.made += 1;
      if (this.made > PREVIEWS_MAX) throw new AppError("INVALID_REQUEST", `One call makes at most ${PREVIEWS_MAX} previews.`, { field: `${path}inputs`, suggestion: "Ask in several calls." });
      const html = renderPreview(format, assets, input);
      if (html === undefined) throw new AppError("CREATIVE_REJECTED", "The manifest has nothing that can be shown.", { field: `${field}.assets` });
      previews.push({ preview_id: `preview-${this.made}`, renders: [await this.render(format, html, output)], input });
    }
    return previews;
  }

  private async render(format: FormatDefinition, html: string, output: Output): Promise<Record<string, unknown>> {
    return {
      render_id: "primary", role: "primary", output_format: output,
      ...(output === "url" ? { preview_url: await this.store(html) } : { preview_html: html }),
      ...(format.width > 1 && format.height > 1 ? { dimensions: { width: format.width, height: format.height } } : {}),
      embedding: { recommended_sandbox: SANDBOX, requires_https: false, supports_fullscreen: false, csp_policy: PREVIEW_POLICY },
    };
  }

  private async store(html: string): Promise<string> {
    const token = randomBytes(24).toString("base64url");
    const { tenantId, now, db } = this.ctx;
    await db.insert(creativePreviews).values({ tenantId, id: newId(now.getTime()), principalId: this.session.principalId, tokenHash: sha256(token), html, createdAt: now, expiresAt: this.expiresAt });
    return `${this.agentUrl}${PREVIEW_PATH}${token}`;
  }
}

/** The page at an address, or undefined when there is none or it has ended. */
export async function findPreview(token: string): Promise<string | undefined> {
  if (!/^[A-Za-z0-9_-]{32}$/.test(token)) return undefined;
  const [found] = await lookUp(z.object({ html: z.string() }), sql`select html from creative_preview(${sha256(token)})`);
  return found?.html;
}
