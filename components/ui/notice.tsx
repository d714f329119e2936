import { CircleCheck, CircleX, Info, TriangleAlert } from "lucide-react";
import { type ReactNode } from "react";
import { cn } from "./cn";

const TONES = {
  info: { classes: "border-info/30 bg-info-soft text-info", icon: Info },
  success: { classes: "border-success/30 bg-success-soft text-success", icon: CircleCheck },
  warning: { classes: "border-warning/30 bg-warning-soft text-warning", icon: TriangleAlert },
  danger: { classes: "border-danger/30 bg-danger-soft text-danger", icon: CircleX },
} as const;

/** A message that stays on the screen. For results of actions see ActionStatus, which is also announced. */
export function Notice({ tone, title, children, className }: { tone: keyof typeof TONES; title?: ReactNode; children?: ReactNode; className?: string }) {
  const Icon = TONES[tone].icon;
  return (
    <div className={cn("flex gap-2.5 rounded-md border px-3 py-2.5", TONES[tone].classes, className)}>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 flex-1">
        {title ? <p className="font-semibold">{title}</p> : null}
        {children ? <div className="text-ink [&_a]:underline">{children}</div> : null}
      </div>
    </div>
  );
}
