import { StatusBadge } from "@/components/ui/badge";
import { type AccountRow } from "@/lib/accounts/advertisers";
import { ACCOUNT_STATUSES } from "./status";

/** Where an account stands, and why, in the words that its buyer reads. */
export function AccountStatus({ account: { status, statusReason } }: { account: Pick<AccountRow, "status" | "statusReason"> }) {
  return (
    <div className="grid max-w-xs justify-items-start gap-0.5">
      <StatusBadge tone={ACCOUNT_STATUSES[status].tone}>{ACCOUNT_STATUSES[status].label}</StatusBadge>
      {statusReason === null ? null : <p className="text-[0.8125rem] break-words text-ink-2">{statusReason}</p>}
    </div>
  );
}
