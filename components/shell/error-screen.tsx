"use client";

import { TriangleAlert } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Problem } from "./problem";

/** For Next's error files. `digest` is the id under which the server logged the error. */
export function ErrorScreen({ error, retry }: { error: unknown; retry: () => void }) {
  const digest = error instanceof Error && "digest" in error ? String(error.digest) : undefined;
  return (
    <Problem icon={TriangleAlert} title="This screen could not be shown" actions={<Button variant="primary" onClick={retry}>Try again</Button>}>
      <title>Error · Greenlight</title>
      <p>Nothing was changed. If it happens again, tell whoever runs this installation{digest ? <>, with error <code className="font-mono text-ink">{digest}</code></> : null}.</p>
    </Problem>
  );
}
