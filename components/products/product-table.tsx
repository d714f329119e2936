"use client";

import Link from "next/link";
import { useParams } from "next/navigation";
import { type ReactNode } from "react";
import { DataTable, type DataColumn } from "@/components/data-table/data-table";
import { Badge, StatusBadge } from "@/components/ui/badge";
import { channelName } from "@/lib/products/channels";
import { type ProductListRow } from "@/lib/products/queries";
import { productParams } from "./list-params";
import { DELIVERY_NAMES, priceText } from "./words";

const REVIEW_SHORT = { inherit: "Publisher's rule", always: "Always", never: "Never" } as const;

const COLUMNS: DataColumn<ProductListRow>[] = [
  { id: "name", header: "Product", accessorFn: (row) => row.name, meta: { isRowHeader: true }, cell: ({ row }) => <ProductName product={row.original} /> },
  { id: "channels", header: "Channels", enableSorting: false, accessorFn: (row) => row.channels.join(), cell: ({ row }) => <div className="flex flex-wrap gap-1">{row.original.channels.map((channel) => <Badge key={channel}>{channelName(channel)}</Badge>)}</div> },
  { id: "delivery", header: "Delivery", enableSorting: false, accessorFn: (row) => DELIVERY_NAMES[row.deliveryType] },
  { id: "review", header: "Review", enableSorting: false, accessorFn: (row) => REVIEW_SHORT[row.reviewRule] },
  {
    id: "price", header: "Prices", enableSorting: false, meta: { isNumeric: true }, accessorFn: (row) => row.prices.length,
    cell: ({ row }) => (row.original.prices.length === 0 ? <span className="text-ink-2">None</span> : row.original.prices.map((price) => <p key={price.id} className="tabular">{priceText(price)}</p>)),
  },
  { id: "connections", header: "Ad servers", enableSorting: false, accessorFn: (row) => row.connections.length, cell: ({ row }) => <Connections product={row.original} /> },
];

export function ProductTable({ rows, total, empty }: { rows: ProductListRow[]; total: number; empty: ReactNode }) {
  return <DataTable caption="Products" columns={COLUMNS} rows={rows} rowId={(row) => row.id} total={total} params={productParams} empty={empty} />;
}

function ProductName({ product }: { product: ProductListRow }) {
  const { publisher } = useParams<{ publisher: string }>();
  return (
    <>
      <Link href={`/p/${publisher}/products/${product.id}`} className="text-accent hover:underline">{product.name}</Link>
      <p className="font-mono text-xs font-normal text-ink-2">{product.productId}</p>
    </>
  );
}

function Connections({ product }: { product: ProductListRow }) {
  if (product.connections.length === 0) return <StatusBadge tone="warning">Not mapped</StatusBadge>;
  return (
    <ul className="grid gap-0.5">
      {product.connections.map((connection) => (
        <li key={connection.adapterConfigId} className="flex flex-wrap items-center gap-1.5">
          {connection.connectionName}
          {connection.status === "verified" ? null : <StatusBadge tone="warning">{connection.status === "failed" ? "Test failed" : "Not verified"}</StatusBadge>}
        </li>
      ))}
    </ul>
  );
}
