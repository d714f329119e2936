/** A buyer over plain HTTP, for load and crash tests; end-to-end tests use the official client. */
export type Reply = { status: number; body: Record<string, unknown> };

export async function callTool(url: string, token: string, tool: string, input: Record<string, unknown>, timeoutMs = 120_000): Promise<Reply> {
  const response = await fetch(`${url}/api/v1/${tool}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(input),
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

export const SANDBOX_ACCOUNT = { brand: { domain: "acmeoutdoor.example" }, operator: "pinnacle-agency.example", sandbox: true };

export type PackageSpec = { productId: string; pricingOptionId: string; budget: number; bidPrice?: number; formatId?: { agent_url: string; id: string }; image?: { width: number; height: number } };

/** A create_media_buy request that starts in a day and runs for thirty. */
export function orderRequest(key: string, packages: PackageSpec[], now = new Date()): Record<string, unknown> {
  const day = 86_400_000;
  return {
    idempotency_key: key,
    account: SANDBOX_ACCOUNT,
    brand: { domain: "acmeoutdoor.example" },
    start_time: new Date(now.getTime() + day).toISOString(),
    end_time: new Date(now.getTime() + 31 * day).toISOString(),
    packages: packages.map((spec, index) => ({
      product_id: spec.productId,
      pricing_option_id: spec.pricingOptionId,
      budget: spec.budget,
      ...(spec.bidPrice === undefined ? {} : { bid_price: spec.bidPrice }),
      ...(spec.formatId && spec.image
        ? { creatives: [{ creative_id: `${key}-${index}`, name: `Banner ${index + 1}`, format_id: spec.formatId, assets: { image: { asset_type: "image", url: `https://cdn.acmeoutdoor.example/${key}-${index}.png`, ...spec.image }, click_url: { asset_type: "url", url: "https://acmeoutdoor.example/landing" } } }] }
        : {}),
    })),
  };
}
