import { Archive, ArchiveRestore } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { cache } from "react";
import { ActionButton } from "@/components/forms/action-button";
import { ConfirmAction } from "@/components/forms/confirm-action";
import { AudienceCard } from "@/components/products/audience-card";
import { AvailabilityCard } from "@/components/products/availability-card";
import { toGamValues } from "@/components/products/editor-values";
import { ProductEditor } from "@/components/products/product-editor";
import { LiveRefresh } from "@/components/shell/live";
import { StatusBadge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { PageHeader } from "@/components/ui/page";
import { requirePage } from "@/lib/auth/page";
import { listAvailability } from "@/lib/availability/service";
import { AppError } from "@/lib/errors";
import { CHANNELS } from "@/lib/products/channels";
import { writeCollections } from "@/lib/products/collections";
import { loadProduct } from "@/lib/products/queries";
import { loadProductAudience } from "@/lib/products/visibility";
import { archiveProductAction, restoreProductAction, saveProductAction, setPriceBuyersAction, setProductVisibilityAction, syncAvailabilityAction } from "../actions";
import { loadEditorChoices, loadGamTarget } from "../load-editor";

type Props = { params: Promise<{ publisher: string; id: string }> };

const load = cache(async (publisher: string, id: string) => {
  const page = await requirePage(publisher, "product.read");
  try {
    return await page.run(async (ctx) => {
      const product = await loadProduct(ctx, id);
      const choices = await loadEditorChoices(ctx);
      const targets = [];
      for (const { adapterConfigId, config, isConnectionArchived } of product.targets) {
        if (isConnectionArchived) continue;
        const target = await loadGamTarget(ctx, adapterConfigId, config);
        targets.push({ adapterConfigId, gam: toGamValues(target.config, target.known) });
      }
      return { page, product, choices, targets, audience: await loadProductAudience(ctx, id), availability: await listAvailability(ctx, id) };
    });
  } catch (error) {
    if (error instanceof AppError && error.code === "PRODUCT_NOT_FOUND") notFound();
    throw error;
  }
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { publisher, id } = await params;
  return { title: (await load(publisher, id)).product.name };
}

export default async function ProductPage({ params }: Props) {
  const { publisher, id } = await params;
  const { page, product, choices, targets, audience, availability } = await load(publisher, id);
  const canEdit = page.can("product.edit") && product.archivedAt === null;
  return (
    <>
      <LiveRefresh topics={["product"]} id={id} />
      <PageHeader
        title={product.name}
        description={<span className="flex flex-wrap items-center gap-2"><Link href={`/p/${publisher}/products`} className="text-accent hover:underline">Products</Link>{product.archivedAt ? <StatusBadge tone="neutral">Archived</StatusBadge> : <StatusBadge tone="success">On sale</StatusBadge>}{targets.length === 0 ? <StatusBadge tone="warning">Not mapped to an ad server</StatusBadge> : null}</span>}
        actions={!page.can("product.edit") ? undefined : product.archivedAt ? <ActionButton action={restoreProductAction} fields={{ id }}><ArchiveRestore aria-hidden />Put on sale again</ActionButton> : (
          <ConfirmAction
            action={archiveProductAction} fields={{ id }} title={`Take ${product.name} off sale?`} confirmLabel="Take off sale" trigger={<Button><Archive aria-hidden />Take off sale</Button>}
            description="Buying agents do not find it any more. Orders that were sold run on as they are. It can be put on sale again."
          />
        )}
      />
      {page.can("product.edit") ? null : <Notice tone="info" className="mb-5">You can look at this product. Changing it takes the role trafficker or admin.</Notice>}
      {page.can("product.edit") && product.archivedAt ? <Notice tone="info" className="mb-5">This product is off sale. Put it on sale again to change it.</Notice> : null}
      <ProductEditor
        {...choices} action={saveProductAction} id={id} version={product.version} canEdit={canEdit}
        saved={{
          productId: product.productId, name: product.name, description: product.description, channels: CHANNELS.filter((channel) => product.channels.includes(channel)), formatIds: product.formatIds,
          deliveryType: product.deliveryType, reviewRule: product.reviewRule, collections: writeCollections(product.collections), targets,
          pricingOptions: product.prices.map(({ id: rowKey, pricingOptionId, pricingModel, currency, priceType, price, minSpend }) => ({ rowKey, pricingOptionId, pricingModel, currency, priceType, price, minSpend })),
        }}
      />
      <AvailabilityCard rows={availability} publisher={publisher} sync={page.can("inventory.sync") ? syncAvailabilityAction : null} now={new Date()} timeZone={page.timeZone} />
      <AudienceCard productId={id} audience={audience} actions={canEdit ? { product: setProductVisibilityAction, price: setPriceBuyersAction } : null} />
    </>
  );
}
