import { requirePage } from "@/lib/auth/page";
import { inventorySearchInput, searchInventory } from "@/lib/inventory/queries";

/** What pickers search: inventory of one connection as of its last sync. */
export async function GET(request: Request, { params }: { params: Promise<{ publisher: string }> }): Promise<Response> {
  const page = await requirePage((await params).publisher, "connection.read");
  const query = new URL(request.url).searchParams;
  const input = inventorySearchInput.safeParse({
    adapterConfigId: query.get("connection"), kind: query.get("kind"), text: query.get("text") ?? "", parentExternalId: query.get("parent") ?? undefined, page: Number(query.get("page") ?? 1),
  });
  if (!input.success) return Response.json({ message: "This search cannot be understood." }, { status: 400 });
  return Response.json(await page.run((ctx) => searchInventory(ctx, input.data)));
}
