/** The path that is being asked for, to return to after signing in. Written by proxy.ts for every page, so that nobody else can. */
export const PATH_HEADER = "x-greenlight-path";
