import { type Metadata } from "next";
import Link from "next/link";
import { ProductEditor } from "@/components/products/product-editor";
import { PageHeader } from "@/components/ui/page";
import { requirePage } from "@/lib/auth/page";
import { saveProductAction } from "../actions";
import { loadEditorChoices } from "../load-editor";

export const metadata: Metadata = { title: "Add product" };

export default async function NewProductPage({ params }: { params: Promise<{ publisher: string }> }) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "product.edit");
  const choices = await page.run(loadEditorChoices);
  return (
    <>
      <PageHeader title="Add product" description={<Link href={`/p/${publisher}/products`} className="text-accent hover:underline">Products</Link>} />
      <ProductEditor
        {...choices} action={saveProductAction} canEdit
        saved={{
          productId: "", name: "", description: "", channels: [], formatIds: [], deliveryType: "guaranteed", reviewRule: "inherit", collections: "", targets: [],
          pricingOptions: [{ rowKey: "new-0", pricingOptionId: "", pricingModel: "cpm", currency: choices.defaultCurrency, priceType: "fixed", price: "", minSpend: "" }],
        }}
      />
    </>
  );
}
