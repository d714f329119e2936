import { LoaderCircle } from "lucide-react";
import { Badge, StatusBadge } from "@/components/ui/badge";

type Job = { state: "queued" | "running" | "succeeded" | "failed" };

/** Whether orders can go through a connection, and whether it is being tested right now. */
export function ConnectionStatus({ status, isArchived = false, testJob }: { status: "unverified" | "verified" | "failed"; isArchived?: boolean; testJob?: Job | null }) {
  if (isArchived) return <StatusBadge tone="neutral">Archived</StatusBadge>;
  const isTesting = testJob?.state === "queued" || testJob?.state === "running";
  return (
    <span className="inline-flex flex-wrap items-center gap-1.5">
      {status === "verified" ? <StatusBadge tone="success">Verified</StatusBadge> : status === "failed" ? <StatusBadge tone="danger">Test failed</StatusBadge> : <StatusBadge tone="waiting">Not verified yet</StatusBadge>}
      {isTesting ? <StatusBadge tone="info" icon={LoaderCircle} className="[&_svg]:animate-spin">{testJob?.state === "queued" ? "Test queued" : "Testing"}</StatusBadge> : null}
    </span>
  );
}

export function ModeBadge({ mode }: { mode: "live" | "simulated" }) {
  return <Badge>{mode === "live" ? "Live" : "Simulated"}</Badge>;
}
