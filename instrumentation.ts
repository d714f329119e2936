import { type Instrumentation } from "next";
import { log } from "@/lib/log";

/** Errors of pages: the id on the error page (Next's digest) is the id in the log. */
export const onRequestError: Instrumentation.onRequestError = (error, request, context) => {
  const digest = typeof error === "object" && error !== null && "digest" in error ? String(error.digest) : undefined;
  log.error("A page failed.", { errorId: digest, error, path: request.path.split("?")[0], route: context.routePath, kind: context.routeType });
};
