import type { FaultKind, FaultOf, FaultSpec } from "./fault-spec";
import { createRandom } from "./rng";

export interface RequestShape {
  method: string;
  path: string;
  network: string | undefined;
}

interface LiveFault {
  id: string;
  spec: FaultSpec;
  path: RegExp | undefined;
  remaining: number;
  expiresAtMs: number;
  hits: number;
  random: () => number;
  bucket: { tokens: number; filledAtMs: number };
}

/** Dropped connections hit writes only, unless a fault names its method. */
const writeOnlyKinds: ReadonlySet<FaultKind> = new Set<FaultKind>(["dropBeforeCommit", "dropAfterCommit"]);

export class Faults {
  private readonly live = new Map<string, LiveFault>();
  private lastId = 0;

  constructor(private readonly nowMs: () => number) {}

  add(spec: FaultSpec): string {
    const id = String(++this.lastId);
    this.live.set(id, {
      id,
      spec,
      path: spec.match.path === undefined ? undefined : new RegExp(spec.match.path),
      remaining: spec.count ?? Infinity,
      expiresAtMs: spec.forMs === undefined ? Infinity : this.nowMs() + spec.forMs,
      hits: 0,
      random: createRandom(spec.seed),
      bucket: { tokens: spec.kind === "rateLimit" ? burstOf(spec) : 0, filledAtMs: this.nowMs() },
    });
    return id;
  }

  remove(id: string): boolean {
    return this.live.delete(id);
  }

  clear(): void {
    this.live.clear();
  }

  list(): object[] {
    return [...this.live.values()].map(({ id, spec, hits, remaining }) => ({
      id, ...spec, hits, isSpent: remaining === 0, ...(Number.isFinite(remaining) ? { remaining } : {}),
    }));
  }

  forRequest(request: RequestShape): CallFaults {
    return new CallFaults(this, request);
  }

  /** The first live fault of this kind that hits the request now; taking it counts as a hit. */
  take<K extends FaultKind>(kind: K, request: RequestShape, accepts: (spec: FaultOf<K>) => boolean): { id: string; spec: FaultOf<K> } | undefined {
    for (const fault of this.live.values()) {
      const spec = fault.spec;
      if (!isKind(spec, kind) || fault.remaining <= 0 || fault.expiresAtMs <= this.nowMs()) continue;
      if (!this.matches(fault, request) || !accepts(spec)) continue;
      if (spec.probability < 1 && fault.random() >= spec.probability) continue;
      if (fault.spec.kind === "rateLimit" && this.takeToken(fault, fault.spec)) continue;
      fault.hits++;
      fault.remaining--;
      return { id: fault.id, spec };
    }
    return undefined;
  }

  /** A number in [0, 1) from the fault's own seeded sequence. */
  randomOf(id: string): number {
    return this.live.get(id)?.random() ?? 0;
  }

  private matches(fault: LiveFault, request: RequestShape): boolean {
    const { method, network } = fault.spec.match;
    if (method === undefined && writeOnlyKinds.has(fault.spec.kind) && request.method === "GET") return false;
    return (method === undefined || method === request.method)
      && (network === undefined || network === request.network)
      && (fault.path === undefined || fault.path.test(request.path));
  }

  private takeToken(fault: LiveFault, spec: FaultOf<"rateLimit">): boolean {
    const now = this.nowMs();
    const gained = ((now - fault.bucket.filledAtMs) / 1000) * spec.perSecond;
    const tokens = Math.min(burstOf(spec), fault.bucket.tokens + gained);
    fault.bucket = { tokens: tokens >= 1 ? tokens - 1 : tokens, filledAtMs: now };
    return tokens >= 1;
  }
}

function burstOf(spec: FaultOf<"rateLimit">): number {
  return spec.burst ?? Math.max(1, Math.ceil(spec.perSecond));
}

function isKind<K extends FaultKind>(spec: FaultSpec, kind: K): spec is FaultOf<K> {
  return spec.kind === kind;
}

/** The faults as one request sees them; remembers which hit it, for the journal. */
export class CallFaults {
  readonly hits: { id: string; kind: FaultKind }[] = [];

  constructor(private readonly faults: Faults, private readonly request: RequestShape) {}

  take<K extends FaultKind>(kind: K, accepts: (spec: FaultOf<K>) => boolean = () => true): FaultOf<K> | undefined {
    const taken = this.faults.take(kind, this.request, accepts);
    if (!taken) return undefined;
    this.hits.push({ id: taken.id, kind });
    return taken.spec;
  }

  /** Milliseconds to wait before anything else happens. */
  takeLatencyMs(): number {
    const taken = this.faults.take("latency", this.request, () => true);
    if (!taken) return 0;
    this.hits.push({ id: taken.id, kind: "latency" });
    const { ms, minMs = 0, maxMs = 0 } = taken.spec;
    return ms ?? minMs + this.faults.randomOf(taken.id) * (maxMs - minMs);
  }
}
