import { CircleAlert } from "lucide-react";
import { type ComponentProps, type ReactNode, useId } from "react";
import { cn } from "./cn";

export type FieldControlProps = { id: string; name: string; required?: boolean; "aria-describedby"?: string; "aria-invalid"?: true };

/**
 * Label, hint and error around one control. The control spreads what it is given:
 * `<Field label="Name" name="name" error={…}>{(control) => <Input {...control} defaultValue={…} />}</Field>`
 */
export function Field({ label, name, hint, error, required, className, children }: {
  label: ReactNode;
  name: string;
  hint?: ReactNode;
  error?: string;
  required?: boolean;
  className?: string;
  children: (control: FieldControlProps) => ReactNode;
}) {
  const id = useId();
  const hasError = Boolean(error);
  const describedBy = [hint ? `${id}-hint` : "", hasError ? `${id}-error` : ""].filter(Boolean).join(" ");
  const control: FieldControlProps = { id, name, ...(required ? { required } : {}), ...(describedBy ? { "aria-describedby": describedBy } : {}), ...(hasError ? { "aria-invalid": true as const } : {}) };
  return (
    <div className={cn("grid content-start gap-1", className)}>
      <label htmlFor={id} className="text-[0.8125rem] font-medium">
        {label}
        {required ? <span className="text-ink-2 font-normal"> (required)</span> : null}
      </label>
      {hint ? <p id={`${id}-hint`} className="text-[0.8125rem] text-ink-2">{hint}</p> : null}
      {children(control)}
      {error ? <FieldError id={`${id}-error`}>{error}</FieldError> : null}
    </div>
  );
}

export function FieldError({ id, children }: { id: string; children: ReactNode }) {
  return <p id={id} className="flex items-start gap-1 text-[0.8125rem] text-danger"><CircleAlert aria-hidden className="mt-0.5 size-3.5 shrink-0" />{children}</p>;
}

/** Several controls (radios, checkboxes) under one question. */
export function FieldGroup({ legend, hint, error, children, className, ...props }: ComponentProps<"fieldset"> & { legend: ReactNode; hint?: ReactNode; error?: string }) {
  const id = useId();
  const hasError = Boolean(error);
  const describedBy = [hint ? `${id}-hint` : "", hasError ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined;
  return (
    <fieldset className={cn("grid gap-2", className)} aria-describedby={describedBy} {...props}>
      <legend className="mb-1 text-[0.8125rem] font-medium">{legend}</legend>
      {hint ? <p id={`${id}-hint`} className="-mt-1 text-[0.8125rem] text-ink-2">{hint}</p> : null}
      {children}
      {error ? <FieldError id={`${id}-error`}>{error}</FieldError> : null}
    </fieldset>
  );
}
