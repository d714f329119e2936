import { type AgentCard } from "@a2a-js/sdk";
import packageJson from "../../../package.json" with { type: "json" };
import { type Caller } from "../buyer-auth";
import { visibleTools } from "../registry";
import { PROTOCOL_VERSION } from "../schemas";

/** AdCP's entry among the card's extensions: which release of it the skills speak. */
const ADCP_EXTENSION = "https://adcontextprotocol.org/extensions/adcp";

/** Who we are to A2A clients. The skills are the tools that the caller can use. */
export function agentCard({ session, agentUrl }: Pick<Caller, "session" | "agentUrl">): AgentCard {
  return {
    protocolVersion: "0.3.0",
    name: "Greenlight",
    description: "Sells a publisher's advertising over AdCP: products, orders, creatives, delivery. Send a data part {\"skill\": …, \"input\": {…}}.",
    url: `${agentUrl}/a2a`,
    preferredTransport: "JSONRPC",
    version: packageJson.version,
    provider: { organization: "Greenlight", url: agentUrl },
    capabilities: {
      streaming: true,
      pushNotifications: true,
      stateTransitionHistory: false,
      extensions: [{ uri: ADCP_EXTENSION, description: "AdCP media buying", required: false, params: { adcp_version: PROTOCOL_VERSION, protocols_supported: ["media_buy"] } }],
    },
    defaultInputModes: ["application/json", "text/plain"],
    defaultOutputModes: ["application/json", "text/plain"],
    securitySchemes: { bearer: { type: "http", scheme: "bearer" }, header: { type: "apiKey", in: "header", name: "x-adcp-auth" } },
    security: [{ bearer: [] }, { header: [] }],
    skills: visibleTools(session).map((tool) => ({
      id: tool.name, name: tool.title, description: tool.description, tags: ["adcp", tool.kind === "read" ? "read" : "change"],
      // What a visitor may call needs no token.
      ...(tool.access === "public" ? { security: [{}] } : {}),
    })),
  };
}
