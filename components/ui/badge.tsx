import { Circle, CircleCheck, CircleX, Clock, Info, type LucideIcon, TriangleAlert } from "lucide-react";
import { type ReactNode } from "react";
import { cn } from "./cn";

const TONES = {
  neutral: { classes: "bg-surface-3 text-ink-2", icon: Circle },
  info: { classes: "bg-info-soft text-info", icon: Info },
  waiting: { classes: "bg-warning-soft text-warning", icon: Clock },
  success: { classes: "bg-success-soft text-success", icon: CircleCheck },
  warning: { classes: "bg-warning-soft text-warning", icon: TriangleAlert },
  danger: { classes: "bg-danger-soft text-danger", icon: CircleX },
} as const;

export type Tone = keyof typeof TONES;

/** A plain label without meaning of state. */
export function Badge({ children, className }: { children: ReactNode; className?: string }) {
  return <span className={cn("inline-flex items-center rounded px-1.5 py-0.5 text-xs font-medium whitespace-nowrap bg-surface-3 text-ink-2", className)}>{children}</span>;
}

/** A state: text, icon and colour together, never colour alone. */
export function StatusBadge({ tone, icon, children, className }: { tone: Tone; icon?: LucideIcon; children: ReactNode; className?: string }) {
  const Icon = icon ?? TONES[tone].icon;
  return (
    <span className={cn("inline-flex items-center gap-1 rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap", TONES[tone].classes, className)}>
      <Icon aria-hidden className="size-3.5 shrink-0" />
      {children}
    </span>
  );
}
