import { readFile } from "node:fs/promises";
import { createTaskCapableServer, GetProductsRequestSchema, type Product, productsResponse, serve } from "@adcp/sdk";

/**
 * The protocol SDK's own server over static products, as its examples build it: what get_products is compared with. In a process of its
 * own: `tsx bench/reference-server.ts <port> <products.json>`; prints `ready` once it listens.
 */
const [port = "0", file = ""] = process.argv.slice(2);
const products = JSON.parse(await readFile(file, "utf8")) as Product[];

serve(() => {
  const agent = createTaskCapableServer("Reference", "1.0.0");
  agent.registerTool("get_products", { inputSchema: GetProductsRequestSchema.shape }, () => Promise.resolve(productsResponse({ products })));
  return agent;
}, { port: Number(port), onListening: () => console.log("ready") });
