import { type Tone } from "@/components/ui/badge";
import { type AccountRow } from "@/lib/accounts/advertisers";

export const ACCOUNT_STATUSES: Record<AccountRow["status"], { tone: Tone; label: string }> = {
  active: { tone: "success", label: "Active" },
  pending_approval: { tone: "waiting", label: "Waiting for approval" },
  rejected: { tone: "danger", label: "Rejected" },
  payment_required: { tone: "warning", label: "Payment required" },
  suspended: { tone: "warning", label: "Suspended" },
  closed: { tone: "neutral", label: "Closed" },
};
