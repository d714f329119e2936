"use client";

const REGION_ID = "announcer";

/** The status region that exists on every screen before anything is announced in it. Rendered once, by the root layout. */
export function Announcer() {
  return <div id={REGION_ID} role="status" aria-live="polite" className="sr-only" />;
}

/** Says something to assistive technology without moving focus. */
export function announce(message: string): void {
  const region = document.getElementById(REGION_ID);
  if (!region) return;
  // The same words twice would not be announced: empty the region first.
  region.textContent = "";
  setTimeout(() => { region.textContent = message; }, 50);
}
