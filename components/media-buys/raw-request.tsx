import { CopyButton } from "@/components/ui/copy-button";
import { ScrollRegion } from "@/components/ui/scroll-region";

/** The buyer's request as it came, without credentials. */
export function RawRequest({ request }: { request: Record<string, unknown> }) {
  const text = JSON.stringify(request, null, 2);
  return (
    <details className="rounded-lg border border-line bg-surface shadow-card">
      <summary className="rounded-lg px-4 py-2.5 text-sm font-semibold">The buyer’s request (JSON)</summary>
      <div className="relative border-t border-line">
        <CopyButton value={text} label="Copy the request" className="absolute top-2 right-2 z-10 bg-surface" />
        <ScrollRegion label="The buyer’s request" className="max-h-[32rem] overflow-y-auto"><pre className="p-4 font-mono text-xs">{text}</pre></ScrollRegion>
      </div>
    </details>
  );
}
