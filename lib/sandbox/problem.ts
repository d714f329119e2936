/** Codes of comply_test_controller's own errors: compliance/comply-test-controller-response.json. */
export type ControllerCode = "UNKNOWN_SCENARIO" | "INVALID_PARAMS" | "NOT_FOUND" | "INVALID_TRANSITION" | "INVALID_STATE" | "FORBIDDEN";

export class ControllerProblem extends Error {
  constructor(readonly code: ControllerCode, message: string, readonly currentState?: string) {
    super(message);
  }
}

export function notFound(what: string): ControllerProblem {
  return new ControllerProblem("NOT_FOUND", `You have no such ${what} here.`);
}

/** Throws INVALID_TRANSITION unless the table leads from one state to the other. To stay where it is is no move: replays succeed. */
export function assertMove<S extends string>(table: Record<S, readonly S[]>, from: S, to: S, what: string): void {
  if (from !== to && !table[from].includes(to)) throw new ControllerProblem("INVALID_TRANSITION", `A ${what} that is ${from} cannot become ${to}.`, from);
}
