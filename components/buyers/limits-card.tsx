"use client";

import { ActionForm } from "@/components/forms/action-form";
import { useOpened } from "@/components/forms/use-opened";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { DescriptionList } from "@/components/ui/page";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { type AdminAction } from "@/lib/auth/action-state";
import { type RateUsage } from "@/lib/buyers/rate-queries";

const FIELDS = { read: { name: "readPerSecond", label: "Reads per second" }, write: { name: "writePerSecond", label: "Changes per second" } } as const;

/** How fast a buyer may call, and how much of that it uses. */
export function LimitsCard({ principalId, limits, usage, version, action }: RateUsage & { principalId: string; action: AdminAction | null }) {
  const { opened, hasMoved, markSaved } = useOpened(version, (name) => name);
  return (
    <Card title="Rate limits" description="For each token and tool. A burst is five seconds’ worth." flush>
      <div className="p-4">
        {action ? (
          <ActionForm action={action} onOk={markSaved}>
            {({ isPending, error, value }) => (
              <div className="flex flex-wrap items-end gap-3">
                <input type="hidden" name="principalId" value={principalId} />
                <input type="hidden" name="version" value={opened} />
                {hasMoved ? <Notice tone="warning" title="Somebody changed the limits while you had them open" className="w-full">Reload the page to see them as they are now.</Notice> : null}
                {limits.map((limit) => (
                  <Field key={limit.rateClass} label={FIELDS[limit.rateClass].label} name={FIELDS[limit.rateClass].name} error={error(FIELDS[limit.rateClass].name)} hint={`Empty: the default, ${limit.defaultPerSecond.toLocaleString("en-US")}`} className="basis-40">
                    {(control) => <Input {...control} inputMode="decimal" autoComplete="off" className="tabular text-right" defaultValue={value(FIELDS[limit.rateClass].name, limit.isOverridden ? String(limit.perSecond) : "")} />}
                  </Field>
                ))}
                <Button type="submit" isPending={isPending}>Save limits</Button>
              </div>
            )}
          </ActionForm>
        ) : <DescriptionList items={limits.map((limit) => ({ term: FIELDS[limit.rateClass].label, description: `${limit.perSecond.toLocaleString("en-US")}${limit.isOverridden ? "" : " (the default)"}` }))} />}
      </div>
      {usage.length === 0 ? null : (
        <div className="border-t border-line">
          <Table caption="Calls against the limits. They are taken in blocks ahead, so that “Taken” runs ahead of the calls." isCaptionVisible>
            <TableHead><ColumnHeader>Tool</ColumnHeader><ColumnHeader>With</ColumnHeader><ColumnHeader isNumeric>Per second</ColumnHeader><ColumnHeader isNumeric>Left now</ColumnHeader><ColumnHeader isNumeric>Taken</ColumnHeader><ColumnHeader isNumeric>Refused</ColumnHeader></TableHead>
            <TableBody>
              {usage.map((row) => (
                <TableRow key={`${row.credential} ${row.tool}`}>
                  <RowHeader className="font-mono text-[0.8125rem]">{row.tool}</RowHeader>
                  <Cell><code className="font-mono text-xs whitespace-nowrap">{row.credential}…</code></Cell>
                  <Cell isNumeric>{row.perSecond.toLocaleString("en-US")}</Cell>
                  <Cell isNumeric>{row.available.toLocaleString("en-US")}</Cell>
                  <Cell isNumeric>{row.taken.toLocaleString("en-US")}</Cell>
                  <Cell isNumeric className={row.refused > 0 ? "font-medium text-danger" : undefined}>{row.refused.toLocaleString("en-US")}</Cell>
                </TableRow>
              ))}
            </TableBody>
          </Table>
        </div>
      )}
    </Card>
  );
}
