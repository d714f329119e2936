import { Agent, request } from "node:http";

/** A buyer on kept connections, as cheap as Node allows: the load generator shares two cores with what it measures. */
export class BenchClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(readonly url: string, readonly token: string) {}

  /** The answer's JSON text. Throws when the status is not 200. */
  async call(tool: string, input: unknown): Promise<string> {
    const body = JSON.stringify(input);
    const headers = { "content-type": "application/json", authorization: `Bearer ${this.token}`, "content-length": Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const sent = request(`${this.url}/api/v1/${tool}`, { agent: this.agent, method: "POST", headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk)).on("error", reject);
        response.on("end", () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`${tool} answered ${response.statusCode}: ${text.slice(0, 400)}`))));
      });
      sent.on("error", reject).end(body);
    });
  }
}
