/**
 * A fetch Request whose body is here already, made by the Node adapter. Node's own class builds streams and signals that no door asks for, at a
 * tenth of what a read costs; it is made only for who needs one of its other parts. The body can be read as often as wanted.
 */
export class ReceivedRequest implements Request {
  readonly url: string;
  private whole: Request | undefined;

  constructor(url: URL, readonly method: string, readonly headers: Headers, private readonly received: Uint8Array<ArrayBuffer> | undefined) {
    this.url = url.href;
  }

  private get made(): Request {
    return (this.whole ??= new Request(this.url, { method: this.method, headers: this.headers, ...(this.received ? { body: this.received } : {}) }));
  }

  text(): Promise<string> {
    return Promise.resolve(new TextDecoder().decode(this.received));
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(new Uint8Array(this.received ?? []));
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  clone(): Request {
    return new ReceivedRequest(new URL(this.url), this.method, this.headers, this.received);
  }

  get body() { return this.made.body; }
  get bodyUsed() { return this.made.bodyUsed; }
  blob() { return this.made.clone().blob(); }
  formData() { return this.made.clone().formData(); }
  get cache() { return this.made.cache; }
  get credentials() { return this.made.credentials; }
  get destination() { return this.made.destination; }
  get integrity() { return this.made.integrity; }
  get keepalive() { return this.made.keepalive; }
  get mode() { return this.made.mode; }
  get redirect() { return this.made.redirect; }
  get referrer() { return this.made.referrer; }
  get referrerPolicy() { return this.made.referrerPolicy; }
  get signal() { return this.made.signal; }
}
