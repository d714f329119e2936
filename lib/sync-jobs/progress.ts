import { type SyncPhase } from "./schema";

/** The phases as a screen shows them: what has begun runs, and what came before it is done. */
export function reportPhase(phases: SyncPhase[], name: string, done: number, total?: number): SyncPhase[] {
  const earlier = phases.filter((phase) => phase.name !== name).map((phase): SyncPhase => ({ ...phase, state: "done" }));
  return [...earlier, { name, state: "running", done, ...(total === undefined ? {} : { total }) }];
}

export function endPhases(phases: SyncPhase[], state: "done" | "failed"): SyncPhase[] {
  return phases.map((phase) => (phase.state === "running" ? { ...phase, state } : phase));
}
