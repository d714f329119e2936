import { Archive, LoaderCircle, type LucideIcon } from "lucide-react";
import { StatusBadge, type Tone } from "@/components/ui/badge";
import { type CreativeStatus } from "@/lib/creatives/transitions";

const LOOKS: Record<CreativeStatus, { tone: Tone; label: string; icon?: LucideIcon }> = {
  processing: { tone: "info", label: "Processing", icon: LoaderCircle },
  pending_review: { tone: "waiting", label: "In review" },
  approved: { tone: "success", label: "Approved" },
  rejected: { tone: "danger", label: "Rejected" },
  archived: { tone: "neutral", label: "Archived", icon: Archive },
};

export function CreativeStatusBadge({ status }: { status: CreativeStatus }) {
  const { tone, label, icon } = LOOKS[status];
  return <StatusBadge tone={tone} icon={icon}>{label}</StatusBadge>;
}
