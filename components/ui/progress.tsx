/** How far work has come. Without `total` nobody knows how much there is: the bar moves, and `done` is said. */
export function Progress({ label, done, total }: { label: string; done: number; total?: number }) {
  const percent = total ? Math.min(100, Math.round((done / total) * 100)) : undefined;
  return (
    <div
      role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}
      aria-valuetext={total ? `${done.toLocaleString("en-US")} of ${total.toLocaleString("en-US")}` : done.toLocaleString("en-US")}
      className="h-1.5 overflow-hidden rounded-full bg-surface-3"
    >
      <div className={percent === undefined ? "h-full w-1/3 animate-pulse rounded-full bg-accent" : "h-full rounded-full bg-accent transition-[width]"} style={percent === undefined ? undefined : { width: `${percent}%` }} />
    </div>
  );
}
