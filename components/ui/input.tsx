"use client";

import { ChevronDown } from "lucide-react";
import { type ComponentProps, type ReactNode, useId } from "react";
import { cn } from "./cn";
import { useEarlyInput } from "./use-early-input";

const CONTROL = cn(
  "w-full min-w-0 rounded-md border border-line-strong bg-surface px-2.5 text-sm text-ink placeholder:text-ink-2",
  "disabled:cursor-not-allowed disabled:bg-surface-2 disabled:text-ink-2 read-only:bg-surface-2",
  "aria-invalid:border-danger aria-invalid:ring-1 aria-invalid:ring-danger",
);

export function Input({ className, ...props }: ComponentProps<"input">) {
  const control = useEarlyInput<HTMLInputElement>(props);
  return <input className={cn(CONTROL, "h-9", props.type === "file" && "h-auto py-1.5 read-only:bg-surface file:mr-3 file:rounded file:border-0 file:bg-surface-3 file:px-2.5 file:py-1 file:text-[0.8125rem] file:font-medium file:text-ink", className)} {...props} ref={control} />;
}

export function Textarea({ className, rows = 4, ...props }: ComponentProps<"textarea">) {
  const control = useEarlyInput<HTMLTextAreaElement>(props);
  return <textarea rows={rows} className={cn(CONTROL, "py-2 leading-5", className)} {...props} ref={control} />;
}

/** The platform's own select: works by keyboard, on phones, with screen readers and without scripts. */
export function Select({ className, children, ...props }: ComponentProps<"select">) {
  const control = useEarlyInput<HTMLSelectElement>(props);
  return (
    <span className={cn("relative block w-full min-w-0", className)}>
      <select className={cn(CONTROL, "h-9 cursor-pointer appearance-none truncate pr-8 read-only:bg-surface disabled:bg-surface-2")} {...props} ref={control}>{children}</select>
      <ChevronDown aria-hidden className="pointer-events-none absolute top-1/2 right-2.5 size-4 -translate-y-1/2 text-ink-2" />
    </span>
  );
}

type ChoiceProps = Omit<ComponentProps<"input">, "type"> & { label: ReactNode; hint?: ReactNode };

function Choice({ kind, label, hint, className, ...props }: ChoiceProps & { kind: "checkbox" | "radio" }) {
  const id = useId();
  const control = useEarlyInput<HTMLInputElement>({ ref: props.ref, checked: props.checked });
  return (
    <div className={cn("flex items-start gap-2.5", className)}>
      <input type={kind} id={id} aria-describedby={hint ? `${id}-hint` : undefined} className="m-0.5 size-5 shrink-0 cursor-pointer accent-accent" {...props} ref={control} />
      <div className="min-w-0 pt-0.5">
        <label htmlFor={id} className="cursor-pointer text-sm">{label}</label>
        {hint ? <p id={`${id}-hint`} className="text-[0.8125rem] text-ink-2">{hint}</p> : null}
      </div>
    </div>
  );
}

export function Checkbox(props: ChoiceProps) {
  return <Choice kind="checkbox" {...props} />;
}

export function Radio(props: ChoiceProps) {
  return <Choice kind="radio" {...props} />;
}
