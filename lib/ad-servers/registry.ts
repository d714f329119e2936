import { AppError } from "../errors";
import { gamDeclaration } from "./gam/declare";
import { type AdServerDeclaration } from "./types";

/** Every ad server's pure half. Importable anywhere. */
const DECLARATIONS: readonly AdServerDeclaration[] = [gamDeclaration];

export const AD_SERVER_KINDS: readonly string[] = DECLARATIONS.map(({ kind }) => kind);

/** Throws UNSUPPORTED_FEATURE for a kind that this release does not know: there is no stand-in. */
export function adServerDeclaration(kind: string): AdServerDeclaration {
  const declaration = DECLARATIONS.find((candidate) => candidate.kind === kind);
  if (!declaration) throw new AppError("UNSUPPORTED_FEATURE", `This release of Greenlight has no ad server of the kind “${kind}”.`, { details: { kind, known: AD_SERVER_KINDS } });
  return declaration;
}
