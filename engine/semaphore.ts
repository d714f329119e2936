export type Demand = { key: string; limit: number };
type Waiter = { demands: Demand[]; grant: () => void };

/**
 * Strict limits per key, first come first served among those who fit. Kept in memory: only one executor
 * runs at a time (lock.ts), so nobody else can hold a slot.
 */
export class KeyedSemaphore {
  private readonly used = new Map<string, number>();
  private readonly waiters = new Set<Waiter>();

  /** Takes one slot of every demanded key at once, so two callers can never hold half of what the other needs. Resolves to the release, or undefined when `signal` aborts first. */
  async acquire(demands: Demand[], signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined;
    if (this.waiters.size > 0 || !this.take(demands)) {
      const isGranted = await this.queue(demands, signal);
      if (!isGranted) return undefined;
    }
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      for (const { key } of demands) this.give(key);
      this.serve();
    };
  }

  private queue(demands: Demand[], signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const onAbort = () => {
        this.waiters.delete(waiter);
        resolve(false);
      };
      const waiter: Waiter = {
        demands,
        grant: () => {
          signal.removeEventListener("abort", onAbort);
          resolve(true);
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.waiters.add(waiter);
      this.serve();
    });
  }

  private serve(): void {
    for (const waiter of this.waiters) {
      if (!this.take(waiter.demands)) continue;
      this.waiters.delete(waiter);
      waiter.grant();
    }
  }

  private take(demands: Demand[]): boolean {
    if (demands.some(({ key, limit }) => (this.used.get(key) ?? 0) >= limit)) return false;
    for (const { key } of demands) this.used.set(key, (this.used.get(key) ?? 0) + 1);
    return true;
  }

  private give(key: string): void {
    const left = (this.used.get(key) ?? 0) - 1;
    if (left > 0) this.used.set(key, left);
    else this.used.delete(key);
  }
}
