import { CircleCheck, CircleX, TriangleAlert } from "lucide-react";

type Check = { name: string; outcome: "pass" | "warn" | "fail"; message: string };

const OUTCOMES = {
  pass: { icon: CircleCheck, classes: "text-success", word: "Passed" },
  warn: { icon: TriangleAlert, classes: "text-warning", word: "Warning" },
  fail: { icon: CircleX, classes: "text-danger", word: "Failed" },
} as const;

/** What a test found, one line each. */
export function TestChecks({ checks }: { checks: Check[] }) {
  return (
    <ul className="grid divide-y divide-line">
      {checks.map((check, index) => {
        const { icon: Icon, classes, word } = OUTCOMES[check.outcome];
        return (
          <li key={index} className="flex items-start gap-2.5 py-2 first:pt-0 last:pb-0">
            <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${classes}`} />
            <div className="min-w-0">
              <p className="font-medium"><span className="sr-only">{word}: </span>{check.name}</p>
              <p className="break-words text-ink-2">{check.message}</p>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
