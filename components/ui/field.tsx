import { CircleAlert } from "lucide-react";
import { type ComponentProps, type ReactNode, useId } from "react";
import { cn } from "./cn";

export type FieldControlProps = { id: string; name: string; required?: boolean; "aria-describedby"?: string; "aria-invalid"?: true };

/**
 * Label, hint and errors around one control. The control spreads what it is given:
 * `<Field label="Name" name="name" errors={…}>{(control) => <Input {...control} defaultValue={…} />}</Field>`
 */
export function Field({ label, name, hint, errors, required, className, children }: {
  label: ReactNode;
  name: string;
  hint?: ReactNode;
  errors?: string[];
  required?: boolean;
  className?: string;
  children: (control: FieldControlProps) => ReactNode;
}) {
  const id = useId();
  const hasErrors = errors !== undefined && errors.length > 0;
  const describedBy = [hint ? `${id}-hint` : "", hasErrors ? `${id}-error` : ""].filter(Boolean).join(" ");
  const control: FieldControlProps = { id, name, ...(required ? { required } : {}), ...(describedBy ? { "aria-describedby": describedBy } : {}), ...(hasErrors ? { "aria-invalid": true as const } : {}) };
  return (
    <div className={cn("grid content-start gap-1", className)}>
      <label htmlFor={id} className="text-[0.8125rem] font-medium">
        {label}
        {required ? <span className="text-ink-2 font-normal"> (required)</span> : null}
      </label>
      {hint ? <p id={`${id}-hint`} className="text-[0.8125rem] text-ink-2">{hint}</p> : null}
      {children(control)}
      {hasErrors ? <FieldErrors id={`${id}-error`} errors={errors} /> : null}
    </div>
  );
}

export function FieldErrors({ id, errors }: { id: string; errors: string[] }) {
  return (
    <div id={id} className="grid gap-0.5 text-[0.8125rem] text-danger">
      {errors.map((error) => (
        <p key={error} className="flex items-start gap-1"><CircleAlert aria-hidden className="mt-0.5 size-3.5 shrink-0" />{error}</p>
      ))}
    </div>
  );
}

/** Several controls (radios, checkboxes) under one question. */
export function FieldGroup({ legend, hint, errors, children, className, ...props }: ComponentProps<"fieldset"> & { legend: ReactNode; hint?: ReactNode; errors?: string[] }) {
  const id = useId();
  const hasErrors = errors !== undefined && errors.length > 0;
  const describedBy = [hint ? `${id}-hint` : "", hasErrors ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined;
  return (
    <fieldset className={cn("grid gap-2", className)} aria-describedby={describedBy} {...props}>
      <legend className="mb-1 text-[0.8125rem] font-medium">{legend}</legend>
      {hint ? <p id={`${id}-hint`} className="-mt-1 text-[0.8125rem] text-ink-2">{hint}</p> : null}
      {children}
      {hasErrors ? <FieldErrors id={`${id}-error`} errors={errors} /> : null}
    </fieldset>
  );
}
