import { KeyRound } from "lucide-react";
import { ConfirmAction } from "@/components/forms/confirm-action";
import { StatusBadge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState } from "@/components/ui/page";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { TimeAgo } from "@/components/ui/time-ago";
import { type AdminAction } from "@/lib/auth/action-state";
import { type PrincipalView } from "@/lib/buyers/queries";
import { ALL_SCOPES, isScope, SCOPES } from "@/lib/buyers/scopes";
import { IssueToken, RotateToken } from "./token-dialogs";
import { TOKEN_STATES } from "./words";

export type TokenActions = { issue: AdminAction; rotate: AdminAction; revoke: AdminAction };

/** A buyer's tokens. `actions` is null for whoever may only look. */
export function TokensCard({ buyer, actions, now, timeZone }: { buyer: PrincipalView; actions: TokenActions | null; now: Date; timeZone: string }) {
  return (
    <Card title="Tokens" description="With these its agents call. Only their first characters are kept." actions={actions ? <IssueToken action={actions.issue} principalId={buyer.id} isSandbox={buyer.isSandbox} /> : undefined} flush>
      {buyer.tokens.length === 0 ? <EmptyState icon={KeyRound} title="No token was issued yet" className="py-8">{actions ? "Without one, or a signing key, this buyer cannot call." : null}</EmptyState> : (
        <Table caption="Tokens">
          <TableHead><ColumnHeader>Token</ColumnHeader><ColumnHeader>State</ColumnHeader><ColumnHeader>May</ColumnHeader><ColumnHeader>Last use</ColumnHeader><ColumnHeader>Ends</ColumnHeader>{actions ? <ColumnHeader><span className="sr-only">Actions</span></ColumnHeader> : null}</TableHead>
          <TableBody>
            {buyer.tokens.map((token) => {
              const isUsable = token.state === "working" || token.state === "replaced";
              return (
                <TableRow key={token.id}>
                  <RowHeader><code className="font-mono text-[0.8125rem] whitespace-nowrap">{token.prefix}…</code>{token.name ? <p className="font-normal break-words text-ink-2">{token.name}</p> : null}</RowHeader>
                  <Cell><StatusBadge tone={TOKEN_STATES[token.state].tone}>{TOKEN_STATES[token.state].label}</StatusBadge></Cell>
                  <Cell><div className="max-w-64 min-w-32"><Scopes scopes={token.scopes} /></div></Cell>
                  <Cell className="whitespace-nowrap">{token.lastUsedAt ? <TimeAgo at={token.lastUsedAt} now={now} timeZone={timeZone} /> : <span className="text-ink-2">Never</span>}</Cell>
                  <Cell className="whitespace-nowrap">{token.revokedAt ? <TimeAgo at={token.revokedAt} now={now} timeZone={timeZone} /> : token.expiresAt ? <TimeAgo at={token.expiresAt} now={now} timeZone={timeZone} /> : <span className="text-ink-2">No end</span>}</Cell>
                  {actions ? (
                    <Cell>
                      <div className="flex justify-end gap-1.5">
                        {isUsable ? <RotateToken action={actions.rotate} token={token} /> : null}
                        {isUsable ? (
                          <ConfirmAction
                            action={actions.revoke} fields={{ tokenId: token.id }} title={`Revoke ${token.prefix}…?`} confirmLabel="Revoke token"
                            description="It stops working at once and for ever: calls with it are answered with 401. Rotate it instead if the buyer needs time to put a new one in place."
                            trigger={<Button size="small" variant="ghost" aria-label={`Revoke token ${token.prefix}`}>Revoke</Button>}
                          />
                        ) : null}
                      </div>
                    </Cell>
                  ) : null}
                </TableRow>
              );
            })}
          </TableBody>
        </Table>
      )}
    </Card>
  );
}

function Scopes({ scopes }: { scopes: string[] }) {
  if (scopes.length === 0 || scopes.includes(ALL_SCOPES)) return "Everything";
  return <ul className="grid gap-0.5 text-[0.8125rem]">{scopes.map((scope) => <li key={scope}>{isScope(scope) ? SCOPES[scope] : scope}</li>)}</ul>;
}
