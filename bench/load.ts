import autocannon from "autocannon";

/** get_products over MCP from a process of its own: `tsx bench/load.ts <mcp url> <token> <connections> <seconds>`; prints JSON. */
const [url = "", token = "", connections = "16", seconds = "8"] = process.argv.slice(2);

const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
  method: "POST",
  headers: { "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25", ...(token ? { authorization: `Bearer ${token}` } : {}) },
  body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "get_products", arguments: { buying_mode: "wholesale" } } }),
  // A refusal would come fast, and with status 200.
  verifyBody: (body: unknown) => String(body).includes('"pricing_options"'),
});
console.log(JSON.stringify({ perSecond: result.requests.average, p50Ms: result.latency.p50, p99Ms: result.latency.p99, errors: result.errors + result.non2xx + result.mismatches }));
