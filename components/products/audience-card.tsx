"use client";

import { useState } from "react";
import { ActionForm } from "@/components/forms/action-form";
import { Badge, StatusBadge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Dialog } from "@/components/ui/dialog";
import { FieldGroup } from "@/components/ui/field";
import { Checkbox, Radio } from "@/components/ui/input";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { type AdminAction } from "@/lib/auth/action-state";
import { type ProductAudience } from "@/lib/products/visibility";

type Buyers = ProductAudience["buyers"];
type Audience = { visibility: "all" | "selected"; selected: string[]; version: string };

/** Which buyers see a product, and who may buy at each of its prices. To everybody else it does not exist. */
export function AudienceCard({ productId, audience, actions }: { productId: string; audience: ProductAudience; /** null for whoever may only look. */ actions: { product: AdminAction; price: AdminAction } | null }) {
  const { buyers } = audience;
  const rows = [
    { key: productId, what: "This product", audience, field: { name: "productId", value: productId }, action: actions?.product, all: "All buyers", question: "Who sees this product?" },
    ...audience.prices.map((price) => ({
      key: price.id, what: `Price ${price.name}`, audience: { visibility: price.isReserved ? "selected" as const : "all" as const, selected: price.selected, version: price.version },
      field: { name: "pricingOptionId", value: price.id }, action: actions?.price, all: "All who see the product", question: `Who may buy at the price ${price.name}?`,
    })),
  ];
  return (
    <Card title="Which buyers see it" description="To everybody else, a product or price that is for selected buyers does not exist." className="mt-5" flush>
      <Table caption="Who sees the product and its prices">
        <TableHead><ColumnHeader>What</ColumnHeader><ColumnHeader>Who sees it</ColumnHeader></TableHead>
        <TableBody>
          {rows.map((row) => (
            <TableRow key={row.key}>
              <RowHeader>{row.what}</RowHeader>
              <Cell>
                <div className="flex flex-wrap items-center gap-2">
                  <Shown audience={row.audience} buyers={buyers} all={row.all} />
                  {row.action ? <EditAudience what={row.what} audience={row.audience} all={row.all} question={row.question} field={row.field} action={row.action} buyers={buyers} /> : null}
                </div>
              </Cell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </Card>
  );
}

function Shown({ audience, buyers, all }: { audience: Audience; buyers: Buyers; all: string }) {
  if (audience.visibility === "all") return <span>{all}</span>;
  const names = buyers.filter(({ id }) => audience.selected.includes(id)).map(({ name }) => name);
  return names.length === 0 ? <StatusBadge tone="warning">Nobody</StatusBadge> : <span className="min-w-0 break-words">Only {names.join(", ")}</span>;
}

type EditProps = { what: string; audience: Audience; buyers: Buyers; all: string; question: string; field: { name: string; value: string }; action: AdminAction };

function EditAudience({ what, question, ...props }: EditProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog open={isOpen} onOpenChange={setOpen} title={question} trigger={<Button size="small" aria-label={`Change who sees: ${what}`}>Change</Button>}>
      <AudienceForm question={question} onClose={() => setOpen(false)} {...props} />
    </Dialog>
  );
}

/** Made anew with each opening: what it was opened on stays, whatever the screen behind shows by now. */
function AudienceForm({ audience, buyers, all, question, field, action, onClose }: Omit<EditProps, "what"> & { onClose: () => void }) {
  const [opened] = useState(audience);
  const [visibility, setVisibility] = useState(opened.visibility);
  return (
    <ActionForm action={action} onOk={onClose}>
      {({ isPending, error }) => (
        <div className="grid gap-4">
          <input type="hidden" name={field.name} value={field.value} />
          <input type="hidden" name="version" value={opened.version} />
          <FieldGroup legend={<span className="sr-only">{question}</span>} error={error("buyers") ?? error("visibility")}>
            <Radio name="visibility" value="all" label={all} checked={visibility === "all"} onChange={() => setVisibility("all")} />
            <Radio name="visibility" value="selected" label="Only buyers that are ticked" hint="Ticking none hides it from everybody." checked={visibility === "selected"} onChange={() => setVisibility("selected")} />
            {visibility === "all" ? null : (
              <div role="group" aria-label="Buyers" className="ml-8 grid max-h-72 gap-2 overflow-y-auto p-1">
                {buyers.length === 0 ? <p className="text-sm text-ink-2">There is no buyer yet.</p> : buyers.map((buyer) => (
                  <Checkbox key={buyer.id} name="buyers" value={buyer.id} defaultChecked={opened.selected.includes(buyer.id)} label={<>{buyer.name}{buyer.isSandbox ? <> <Badge>Sandbox</Badge></> : null}</>} />
                ))}
              </div>
            )}
          </FieldGroup>
          <div className="flex flex-wrap justify-end gap-2"><Button onClick={onClose}>Cancel</Button><Button type="submit" variant="primary" isPending={isPending}>Save</Button></div>
        </div>
      )}
    </ActionForm>
  );
}
