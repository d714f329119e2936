import { and, eq, inArray, sql } from "drizzle-orm";
import { type Ctx } from "../context";
import { type FieldErrors } from "../field-errors";
import { newId } from "../ids";
import { mediaPackages } from "../media-buys/schema";
import { parseMicros } from "../money";
import { type PricingOptionInput } from "./input";
import { pricingOptions } from "./schema";

type Row = typeof pricingOptions.$inferSelect;
type Terms = Pick<Row, "pricingModel" | "currency" | "rateMicros" | "floorMicros" | "minSpendMicros">;

/** What saving will do to the options. An option that was sold never changes: it is archived and a new one takes its place. */
export type PricingChange = {
  insert: (Terms & { pricingOptionId: string })[];
  update: (Terms & { id: string })[];
  archive: string[];
  /** Options that were sold and now go under a new id. */
  replaced: { from: string; to: string }[];
};

/** Works out the change, adding mistakes to `errors` under `pricingOptions.<index>`. */
export async function planPricing(ctx: Ctx, productId: string | undefined, inputs: PricingOptionInput[], errors: FieldErrors): Promise<PricingChange> {
  const rows = productId ? await ctx.db.select().from(pricingOptions).where(and(eq(pricingOptions.tenantId, ctx.tenantId), eq(pricingOptions.productId, productId))) : [];
  const sold = productId ? await soldOptionIds(ctx, productId) : new Set<string>();
  const taken = new Set([...rows.map((row) => row.pricingOptionId), ...inputs.map((input) => input.pricingOptionId)]);
  const change: PricingChange = { insert: [], update: [], archive: [], replaced: [] };
  const kept = new Set<string>();

  inputs.forEach((input, index) => {
    const at = (field: string) => `pricingOptions.${index}.${field}`;
    const terms = readTerms(input, at, errors);
    const row = rows.find((candidate) => candidate.pricingOptionId === input.pricingOptionId);
    if (kept.has(input.pricingOptionId)) errors.add(at("pricingOptionId"), "Another option of this product has this id.");
    else if (row?.archivedAt) errors.add(at("pricingOptionId"), "This id belonged to an option that was archived. Choose another.");
    if (input.pricingOptionId !== "") kept.add(input.pricingOptionId);
    if (!terms) return;
    if (!row) change.insert.push({ ...terms, pricingOptionId: input.pricingOptionId || freeId(`${terms.pricingModel}_${terms.currency.toLowerCase()}_${input.priceType}`, taken) });
    else if (isSame(row, terms)) return;
    else if (!sold.has(row.pricingOptionId)) change.update.push({ ...terms, id: row.id });
    else {
      const to = freeId(row.pricingOptionId, taken);
      change.archive.push(row.id);
      change.insert.push({ ...terms, pricingOptionId: to });
      change.replaced.push({ from: row.pricingOptionId, to });
    }
  });
  change.archive.push(...rows.filter((row) => !row.archivedAt && !kept.has(row.pricingOptionId)).map((row) => row.id));
  return change;
}

export async function applyPricing(ctx: Ctx, productId: string, change: PricingChange): Promise<void> {
  const own = and(eq(pricingOptions.tenantId, ctx.tenantId), eq(pricingOptions.productId, productId));
  if (change.archive.length > 0) await ctx.db.update(pricingOptions).set({ archivedAt: ctx.now }).where(and(own, inArray(pricingOptions.id, change.archive)));
  for (const { id, ...terms } of change.update) await ctx.db.update(pricingOptions).set(terms).where(and(own, eq(pricingOptions.id, id)));
  if (change.insert.length > 0) {
    await ctx.db.insert(pricingOptions).values(change.insert.map((option, index) => ({ ...option, tenantId: ctx.tenantId, id: newId(ctx.now.getTime() + index), productId, createdAt: ctx.now })));
  }
}

function readTerms(input: PricingOptionInput, at: (field: string) => string, errors: FieldErrors): Terms | undefined {
  const price = readAmount(input.price, at("price"), errors);
  const minSpend = input.minSpend === "" ? null : readAmount(input.minSpend, at("minSpend"), errors);
  if (price === undefined || minSpend === undefined) return undefined;
  return {
    pricingModel: input.pricingModel,
    currency: input.currency,
    rateMicros: input.priceType === "fixed" ? price : null,
    floorMicros: input.priceType === "auction" ? price : null,
    minSpendMicros: minSpend,
  };
}

function readAmount(text: string, path: string, errors: FieldErrors): bigint | undefined {
  try {
    const micros = parseMicros(text, path);
    if (micros > 0n) return micros;
    errors.add(path, "Enter an amount above zero.");
  } catch (error) {
    errors.addError(path, error);
  }
  return undefined;
}

function isSame(row: Row, terms: Terms): boolean {
  return row.pricingModel === terms.pricingModel && row.currency === terms.currency && row.rateMicros === terms.rateMicros && row.floorMicros === terms.floorMicros && row.minSpendMicros === terms.minSpendMicros;
}

async function soldOptionIds(ctx: Ctx, productId: string): Promise<Set<string>> {
  const rows = await ctx.db.selectDistinct({ id: sql<string>`${mediaPackages.sold} ->> 'pricingOptionId'` }).from(mediaPackages)
    .where(and(eq(mediaPackages.tenantId, ctx.tenantId), eq(mediaPackages.productId, productId)));
  return new Set(rows.map((row) => row.id));
}

/** `wanted`, or `wanted_2`, `wanted_3` … : the first that no option of this product ever had. Reserves it. */
function freeId(wanted: string, taken: Set<string>): string {
  const stem = wanted.replace(/_\d+$/, "");
  let id = wanted;
  for (let number = 2; taken.has(id); number += 1) id = `${stem}_${number}`;
  taken.add(id);
  return id;
}
