import { LoaderCircle } from "lucide-react";
import { Slot } from "radix-ui";
import { type ComponentProps } from "react";
import { cn } from "./cn";

const VARIANTS = {
  primary: "bg-accent text-accent-ink hover:bg-accent-hover border-transparent",
  secondary: "bg-surface text-ink border-line-strong/60 hover:bg-surface-2",
  danger: "bg-danger-solid text-white border-transparent hover:bg-danger-solid-hover",
  ghost: "bg-transparent text-ink border-transparent hover:bg-surface-3/70",
} as const;

const SIZES = {
  small: "h-7 px-2.5 text-[0.8125rem] gap-1.5",
  medium: "h-9 px-3.5 text-sm gap-2",
  icon: "size-8 justify-center",
} as const;

export type ButtonProps = ComponentProps<"button"> & {
  variant?: keyof typeof VARIANTS;
  size?: keyof typeof SIZES;
  /** Shows that the work started by this button is under way, and ignores further clicks. Focus stays. */
  isPending?: boolean;
  /** Renders the only child (a link, say) in this button's looks. */
  asChild?: boolean;
};

export function Button({ variant = "secondary", size = "medium", isPending = false, asChild = false, className, children, onClick, ...props }: ButtonProps) {
  const classes = cn(
    "inline-flex shrink-0 items-center justify-center rounded-md border font-medium whitespace-nowrap select-none transition-colors",
    "disabled:opacity-55 disabled:cursor-not-allowed aria-disabled:opacity-55 aria-disabled:cursor-not-allowed [&_svg]:size-4 [&_svg]:shrink-0",
    VARIANTS[variant], SIZES[size], className,
  );
  if (asChild) return <Slot.Root className={classes} {...props}>{children}</Slot.Root>;
  return (
    <button type="button" className={classes} aria-disabled={isPending || undefined} aria-busy={isPending || undefined} onClick={isPending ? (event) => event.preventDefault() : onClick} {...props}>
      {isPending ? <LoaderCircle aria-hidden className="animate-spin" /> : null}
      {children}
    </button>
  );
}
