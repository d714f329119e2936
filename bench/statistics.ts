/** The value below which `fraction` of the sample lies. */
export function percentile(sample: number[], fraction: number): number {
  const sorted = [...sample].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? NaN;
}

export function describeSample(sample: number[]): string {
  return `p50 ${percentile(sample, 0.5).toFixed(1)} ms  p99 ${percentile(sample, 0.99).toFixed(1)} ms`;
}

/** Durations in ms, and the whole run's pace. */
export type Measured = { sample: number[]; perSecond: number };

/** Runs `work` `total` times, `width` at once; answers each duration in ms and the whole run's. */
export async function measure(total: number, width: number, work: (index: number) => Promise<void>): Promise<Measured> {
  const sample: number[] = [];
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: width }, async () => {
    for (let index = next++; index < total; index = next++) {
      const t0 = performance.now();
      await work(index);
      sample.push(performance.now() - t0);
    }
  }));
  return { sample, perSecond: total / ((performance.now() - startedAt) / 1_000) };
}
