import { Eye, EyeOff } from "lucide-react";
import Link from "next/link";
import { ConfirmAction } from "@/components/forms/confirm-action";
import { Badge, StatusBadge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState } from "@/components/ui/page";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { type AdminAction } from "@/lib/auth/action-state";
import { type ProductVisibility } from "@/lib/products/visibility";

type Props = { principalId: string; name: string; arePricesHidden: boolean; products: ProductVisibility[]; publisher: string; /** null for whoever may only look. */ setPrices: AdminAction | null };

/** What a buyer finds here, and whether it is told amounts. */
export function CatalogueCard({ principalId, name, arePricesHidden, products, publisher, setPrices }: Props) {
  const visible = products.filter(({ isVisible }) => isVisible).length;
  return (
    <Card
      title="What it sees" description={`${name} sees ${visible} of ${products.length} product${products.length === 1 ? "" : "s"}${arePricesHidden ? ", without amounts: its orders wait for a person" : ""}. Who sees a product is set with the product.`}
      actions={setPrices ? <PriceSwitch principalId={principalId} name={name} arePricesHidden={arePricesHidden} action={setPrices} /> : undefined} flush
    >
      {products.length === 0 ? <EmptyState icon={EyeOff} title="Nothing is on sale" className="py-8">Add products first.</EmptyState> : (
        <Table caption="Products and whether this buyer sees them">
          <TableHead><ColumnHeader>Product</ColumnHeader><ColumnHeader>Sees it</ColumnHeader><ColumnHeader>Prices of its own</ColumnHeader></TableHead>
          <TableBody>
            {products.map((product) => (
              <TableRow key={product.id}>
                <RowHeader><Link href={`/p/${publisher}/products/${product.id}`} className="text-accent hover:underline">{product.name}</Link></RowHeader>
                <Cell>{product.isVisible ? <span className="flex flex-wrap items-center gap-1.5"><StatusBadge tone="success">Yes</StatusBadge>{product.visibility === "selected" ? <Badge>Selected buyers</Badge> : null}</span> : <StatusBadge tone="neutral">No</StatusBadge>}</Cell>
                <Cell>{product.reservedPrices.length === 0 ? <span className="text-ink-2">None</span> : <code className="font-mono text-xs break-words">{product.reservedPrices.join(", ")}</code>}</Cell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      )}
    </Card>
  );
}

function PriceSwitch({ principalId, name, arePricesHidden, action }: { principalId: string; name: string; arePricesHidden: boolean; action: AdminAction }) {
  const fields = { principalId, arePricesHidden: String(!arePricesHidden) };
  return arePricesHidden ? (
    <ConfirmAction action={action} fields={fields} title={`Show prices to ${name}?`} confirmLabel="Show prices" variant="primary" trigger={<Button size="small"><Eye aria-hidden />Show prices</Button>} description="Its agent sees every amount, and its orders are confirmed as those of others." />
  ) : (
    <ConfirmAction action={action} fields={fields} title={`Hide prices from ${name}?`} confirmLabel="Hide prices" trigger={<Button size="small"><EyeOff aria-hidden />Hide prices</Button>} description="Its agent sees products without amounts, and each of its orders waits for a person." />
  );
}
