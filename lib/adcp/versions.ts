import { AppError } from "../errors";

/** AdCP major versions that this agent speaks. */
export const SUPPORTED_MAJOR_VERSIONS = [3];

/** Releases, oldest first. The first is served to whoever names none. */
export const SUPPORTED_VERSIONS = ["3.0", "3.1"] as const;
export type AdcpVersion = (typeof SUPPORTED_VERSIONS)[number];

const RELEASE = /^(\d+)\.(\d+)(?:-[a-zA-Z0-9.-]+)?$/;

export type Served = {
  version: AdcpVersion;
  /** Whether the buyer named a release, and so reads the one that is served. */
  isNamed: boolean;
};

export const DEFAULT_VERSION: Served = { version: SUPPORTED_VERSIONS[0], isNamed: false };

/**
 * The release to serve (core/version-envelope.json): of the major version asked for, the highest that is not above what was asked for.
 * Throws VERSION_UNSUPPORTED, with what is supported in its details (error-details/version-unsupported.json).
 */
export function negotiateVersion({ adcp_version: release, adcp_major_version: major }: Record<string, unknown>): Served {
  if (typeof major === "number" && !SUPPORTED_MAJOR_VERSIONS.includes(major)) throw unsupported("adcp_major_version", String(major));
  if (release === undefined) return DEFAULT_VERSION;
  const [, wantedMajor, wantedMinor] = (typeof release === "string" && RELEASE.exec(release)) || [];
  if (wantedMajor === undefined) throw new AppError("INVALID_REQUEST", "adcp_version is a release such as \"3.0\".", { field: "adcp_version", details: { issues: [{ pointer: "/adcp_version", message: "must be a release such as \"3.0\"", keyword: "pattern" }] } });
  const version = SUPPORTED_VERSIONS.findLast((known) => {
    const [knownMajor, knownMinor] = known.split(".");
    return knownMajor === wantedMajor && Number(knownMinor) <= Number(wantedMinor);
  });
  if (!version) throw unsupported("adcp_version", String(release));
  return { version, isNamed: true };
}

function unsupported(field: string, wanted: string): AppError {
  return new AppError("VERSION_UNSUPPORTED", `AdCP ${wanted.slice(0, 40)} is not supported here; ${SUPPORTED_VERSIONS.join(" and ")} are.`, {
    field, details: { supported_versions: [...SUPPORTED_VERSIONS], supported_majors: SUPPORTED_MAJOR_VERSIONS, supported_major_versions: SUPPORTED_MAJOR_VERSIONS },
  });
}

/**
 * A payload as the release has it. Since 3.1 `status` is the task's alone, and the media buy's is in `media_buy_status`, which is there in
 * both; so it is for an answer that a task holds.
 */
export function payloadOf(payload: Record<string, unknown>, version: AdcpVersion): Record<string, unknown> {
  if (version === "3.0") return payload;
  const { result } = payload;
  return {
    ...payload,
    ...("media_buy_status" in payload ? { status: "completed" } : {}),
    ...(typeof result === "object" && result !== null && "media_buy_status" in result ? { result: { ...result, status: "completed" } } : {}),
  };
}
