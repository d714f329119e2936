/** A child of `npm start` must not outlive it: ends this process when its parent is gone, whatever killed it. */
export function exitWithParent(onGone: () => void): void {
  const parent = process.ppid;
  process.on("disconnect", onGone);
  setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, 500).unref();
}
