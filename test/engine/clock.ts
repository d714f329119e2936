import { type Clock } from "@/engine/time";

/** The machine's clock plus an offset that a test moves. Whatever waits looks again after each move. */
export class MovableClock implements Clock {
  private offsetMs: number;
  private readonly waiting = new Set<() => void>();

  /** @param unitMs it begins with a full unit, such as an hour: none passes by itself before that time is over */
  constructor(unitMs = 1) {
    this.offsetMs = (unitMs - (Date.now() % unitMs)) % unitMs;
  }

  now(): number {
    return Date.now() + this.offsetMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = setTimeout(action, Math.min(delayMs, 60_000));
    this.waiting.add(action);
    return () => {
      clearTimeout(timer);
      this.waiting.delete(action);
    };
  }

  advance(ms: number): void {
    this.offsetMs += ms;
    for (const action of [...this.waiting]) action();
  }
}
