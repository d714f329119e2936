import { JWT } from "google-auth-library";
import { z } from "zod";
import { AppError } from "../../errors";
import { AdServerError, type Call } from "../types";
import { type GamConnection, gamConnectionSchema } from "./config";
import { parseServiceAccountKey } from "./credentials";
import { toAdServerError, toNetworkError, unreadable } from "./errors";

const SCOPE = "https://www.googleapis.com/auth/admanager";
const PAGE_SIZE = 1000;
const DEFAULT_LOOK_UP_PAUSE_MS = 1_500;
const looseAnswer = z.record(z.string(), z.unknown());

export type ListSpec<S extends z.ZodType> = { path: string; /** Key of the rows in the answer. */ key: string; schema: S; filter?: string; /** Response field mask. */ fields?: string; pageSize?: number };
export type Page<T> = { items: T[]; total: number | undefined; nextPageToken: string };

/**
 * The REST client: signs each request with the service account's key, bounds it by a deadline that covers the body, keeps the rate,
 * follows no redirect, and turns every failure into an AdServerError. It repeats nothing by itself.
 */
export class GamClient {
  /** `networks/21700000001`. */
  readonly network: string;
  readonly connection: GamConnection;
  readonly lookUpPauseMs: number;
  /** Of the last answer: what Google's support asks for. */
  correlationId: string | undefined;
  private readonly jwt: JWT;

  constructor(readonly call: Call, readonly attempts = 1) {
    this.connection = gamConnectionSchema.parse(call.connection);
    this.network = `networks/${this.connection.networkCode}`;
    this.lookUpPauseMs = this.connection.lookUpPauseMs ?? DEFAULT_LOOK_UP_PAUSE_MS;
    const key = readCredentials(call.credentials);
    this.jwt = new JWT({ email: key.client_email, key: key.private_key, keyId: key.private_key_id, scopes: [SCOPE] });
    this.jwt.useJWTAccessWithScope = true;
  }

  name(collection: string, id: string): string {
    return `${this.network}/${collection}/${id}`;
  }

  get<S extends z.ZodType>(path: string, schema: S, query: Record<string, string> = {}): Promise<z.output<S>> {
    return this.request("GET", path, schema, { query });
  }

  post<S extends z.ZodType>(path: string, body: unknown, schema: S): Promise<z.output<S>> {
    return this.request("POST", path, schema, { body });
  }

  patch<S extends z.ZodType>(path: string, body: unknown, updateMask: string, schema: S): Promise<z.output<S>> {
    return this.request("PATCH", path, schema, { body, query: { updateMask } });
  }

  async page<S extends z.ZodType>({ path, key, schema, filter, fields, pageSize = PAGE_SIZE }: ListSpec<S>, pageToken = ""): Promise<Page<z.output<S>>> {
    const query = { pageSize: String(pageSize), ...(pageToken ? { pageToken } : {}), ...(filter ? { filter } : {}), ...(fields ? { fields } : {}) };
    const answer = await this.request("GET", path, looseAnswer, { query });
    const rows = schema.array().safeParse(answer[key] ?? []);
    if (!rows.success) throw unreadable(200, false, this.correlationId, rows.error);
    const { nextPageToken, totalSize } = answer;
    return { items: rows.data, total: typeof totalSize === "number" ? totalSize : undefined, nextPageToken: typeof nextPageToken === "string" ? nextPageToken : "" };
  }

  /** All rows, page by page. */
  async list<S extends z.ZodType>(spec: ListSpec<S>): Promise<z.output<S>[]> {
    const rows: z.output<S>[] = [];
    let pageToken = "";
    do {
      const page = await this.page(spec, pageToken);
      rows.push(...page.items);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return rows;
  }

  private async request<S extends z.ZodType>(method: "GET" | "POST" | "PATCH", path: string, schema: S, { query = {}, body }: { query?: Record<string, string>; body?: unknown }): Promise<z.output<S>> {
    const isWrite = method !== "GET";
    await this.call.takeRate();
    const url = `${this.call.baseUrl}/v1/${path}${Object.keys(query).length > 0 ? `?${new URLSearchParams(query).toString()}` : ""}`;
    const headers = await this.sign();
    headers.set("accept", "application/json");
    if (body !== undefined) headers.set("content-type", "application/json");
    const answer = await this.send(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), redirect: "manual" }, isWrite);
    if (answer.status < 200 || answer.status >= 300) {
      throw toAdServerError({ httpStatus: answer.status, body: answer.text, isWrite, attempts: this.attempts, correlationId: this.correlationId });
    }
    try {
      return schema.parse(JSON.parse(answer.text));
    } catch (error) {
      throw unreadable(answer.status, isWrite, this.correlationId, error);
    }
  }

  /** The signal covers the body too: a reply that never ends is cut off like one that never comes. */
  private async send(url: string, init: RequestInit, isWrite: boolean): Promise<{ status: number; text: string }> {
    const deadline = AbortSignal.timeout(Math.min(this.connection.callDeadlineMs ?? Infinity, this.call.deadlineMs));
    const signal = this.call.signal ? AbortSignal.any([deadline, this.call.signal]) : deadline;
    try {
      const response = await fetch(url, { ...init, signal });
      this.correlationId = response.headers.get("x-goog-correlation-id") ?? undefined;
      return { status: response.status, text: await response.text() };
    } catch (error) {
      throw toNetworkError(error, isWrite);
    }
  }

  private async sign(): Promise<Headers> {
    try {
      const headers = await this.jwt.getRequestHeaders(this.call.baseUrl);
      return new Headers([...headers.entries()]);
    } catch {
      // The cause may quote the key: it stays here.
      throw new AdServerError("credentials_invalid", "The stored key cannot sign. Paste the service account's key file again.", { isPermanent: true, isAmbiguous: false });
    }
  }
}

function readCredentials(text: string) {
  try {
    return parseServiceAccountKey(text);
  } catch (error) {
    const message = error instanceof AppError ? error.userMessage : "The stored key cannot be read.";
    throw new AdServerError("credentials_invalid", message, { isPermanent: true, isAmbiguous: false });
  }
}
