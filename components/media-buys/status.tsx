import { Ban, CalendarClock, CircleCheck, CircleDashed, CircleHelp, Flag, Image as ImageIcon, LoaderCircle, type LucideIcon, Pause, Play, Send, ServerCog, Unplug } from "lucide-react";
import { StatusBadge, type Tone } from "@/components/ui/badge";
import { type FulfilmentState } from "@/lib/fulfilment/schema";
import { type MediaBuyStatus } from "@/lib/media-buys/schema";

type Look = { tone: Tone; label: string; icon?: LucideIcon };

/** The commercial state, in the words that staff know from their ad server. */
export const MEDIA_BUY_LOOKS: Record<MediaBuyStatus, Look> = {
  pending_approval: { tone: "waiting", label: "Waiting for approval" },
  pending_creatives: { tone: "warning", label: "Needs creatives", icon: ImageIcon },
  pending_start: { tone: "info", label: "Ready, not started", icon: CalendarClock },
  active: { tone: "success", label: "Active", icon: Play },
  paused: { tone: "neutral", label: "Paused", icon: Pause },
  completed: { tone: "neutral", label: "Completed", icon: Flag },
  rejected: { tone: "danger", label: "Rejected" },
  canceled: { tone: "neutral", label: "Canceled", icon: Ban },
};

const FULFILMENT_LOOKS: Record<FulfilmentState, Look> = {
  pending: { tone: "info", label: "Queued", icon: CircleDashed },
  applying: { tone: "info", label: "Writing to the ad server", icon: ServerCog },
  awaiting_ad_server: { tone: "waiting", label: "Waiting for the ad server" },
  in_sync: { tone: "success", label: "In sync" },
  blocked: { tone: "danger", label: "Blocked", icon: Unplug },
  failed: { tone: "danger", label: "Failed" },
  ended: { tone: "neutral", label: "Ended", icon: Flag },
};

export type OperationState = "planned" | "started" | "done" | "failed" | "unknown" | "superseded";

const OPERATION_LOOKS: Record<OperationState, Look> = {
  planned: { tone: "neutral", label: "Planned", icon: CircleDashed },
  started: { tone: "info", label: "Running", icon: LoaderCircle },
  done: { tone: "success", label: "Done", icon: CircleCheck },
  failed: { tone: "danger", label: "Failed" },
  unknown: { tone: "warning", label: "Outcome unknown, being looked up", icon: CircleHelp },
  superseded: { tone: "neutral", label: "Overtaken by a newer plan", icon: Ban },
};

const DELIVERY_LOOKS: Record<"pending" | "delivered" | "dead", Look> = {
  pending: { tone: "info", label: "Being sent", icon: Send },
  delivered: { tone: "success", label: "Delivered" },
  dead: { tone: "danger", label: "Not delivered" },
};

function show({ tone, label, icon }: Look, className?: string) {
  return <StatusBadge tone={tone} icon={icon} className={className}>{label}</StatusBadge>;
}

export function MediaBuyStatusBadge({ status }: { status: MediaBuyStatus }) {
  return show(MEDIA_BUY_LOOKS[status]);
}

/** `hasDrift`: the ad server differs from what was sold, and staff left it so. */
export function FulfilmentStateBadge({ state, hasDrift = false }: { state: FulfilmentState; hasDrift?: boolean }) {
  return hasDrift && state === "in_sync" ? <StatusBadge tone="warning">In sync but for accepted differences</StatusBadge> : show(FULFILMENT_LOOKS[state]);
}

/** Most in need of attention first. */
const URGENCY: FulfilmentState[] = ["failed", "blocked", "awaiting_ad_server", "applying", "pending", "in_sync", "ended"];

/** How far the ad servers are, all together: the state of the one that most needs attention. */
export function ExecutionBadge({ fulfilments }: { fulfilments: { state: FulfilmentState; drift: unknown[] }[] }) {
  const [first] = fulfilments.toSorted((a, b) => URGENCY.indexOf(a.state) - URGENCY.indexOf(b.state));
  return first ? <FulfilmentStateBadge state={first.state} hasDrift={fulfilments.some(({ drift }) => drift.length > 0)} /> : null;
}

export function OperationStateBadge({ state }: { state: OperationState }) {
  return show(OPERATION_LOOKS[state], state === "started" ? "[&_svg]:animate-spin" : undefined);
}

export function DeliveryStateBadge({ state }: { state: "pending" | "delivered" | "dead" }) {
  return show(DELIVERY_LOOKS[state]);
}
