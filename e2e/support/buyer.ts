import { AgentClient } from "@adcp/sdk";
import { stackUrl } from "./addresses";

export const ACCOUNT = { brand: { domain: "acmeoutdoor.example" }, operator: "pinnacle-agency.example", sandbox: true };
const DAY_MS = 86_400_000;

/** The official client, as a buyer's agent uses it. */
export function createBuyer(token = "demo-acme-outdoor-v1"): AgentClient {
  return new AgentClient({ id: "greenlight", name: "Greenlight", agent_uri: `${stackUrl()}/mcp`, protocol: "mcp", auth_token: token });
}

/** A whole day from now, at a full second: what an ad server stores exactly. */
export function daysFromNow(days: number): string {
  return new Date(Math.floor((Date.now() + days * DAY_MS) / 1_000) * 1_000).toISOString();
}

export function banner(creativeId: string, size: { width: number; height: number } = { width: 300, height: 250 }) {
  return {
    creative_id: creativeId,
    name: `Banner ${creativeId}`,
    format_id: { agent_url: stackUrl(), id: `display_${size.width}x${size.height}_image` },
    assets: {
      image: { asset_type: "image" as const, url: `https://cdn.acmeoutdoor.example/${creativeId}.png`, ...size },
      click_url: { asset_type: "url" as const, url: "https://acmeoutdoor.example/spring" },
    },
  };
}
