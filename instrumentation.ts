import { type Instrumentation } from "next";

/** Errors of pages: the id on the error page (Next's digest) is the id in the log. */
export const onRequestError: Instrumentation.onRequestError = async (error, request, context) => {
  // Next compiles this file for the edge too, where the log has no stream to write to; nothing of ours runs there.
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { log, shownPath } = await import("@/lib/log");
  const errorId = typeof error === "object" && error !== null && "digest" in error ? String(error.digest) : undefined;
  log.error("A page failed.", { errorId, error, path: shownPath(request.path), route: context.routePath, kind: context.routeType });
};
