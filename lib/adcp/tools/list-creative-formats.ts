import { z } from "zod";
import { findFormat, type FormatDefinition, FORMATS } from "../../creatives/formats";
import { presentFormat } from "../../creatives/wire-format";
import { listOf, readPage, toPage } from "../cursor";
import { type Tool } from "../tool";

const filtersInput = z.looseObject({
  format_ids: z.array(z.looseObject({ id: z.string() })).optional(),
  asset_types: z.array(z.string()).optional(),
  max_width: z.number().optional(),
  max_height: z.number().optional(),
  min_width: z.number().optional(),
  min_height: z.number().optional(),
  is_responsive: z.boolean().optional(),
  name_search: z.string().optional(),
  wcag_level: z.unknown().optional(),
  disclosure_positions: z.unknown().optional(),
  disclosure_persistence: z.unknown().optional(),
  output_format_ids: z.unknown().optional(),
  input_format_ids: z.unknown().optional(),
});
type Filters = z.infer<typeof filtersInput>;

export const listCreativeFormatsTool: Tool = {
  kind: "read",
  name: "list_creative_formats",
  title: "Creative formats",
  description: "The formats that this publisher's products take, with the assets each needs: image and HTML banners, hosted and VAST video, native, audio.",
  access: "public",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  run({ agentUrl, tenantId, session }, input) {
    const filters = filtersInput.parse(input);
    const page = readPage(input, listOf({ tenantId, session: null }, "list_creative_formats"));
    const matching = FORMATS.filter((format) => matches(format, filters));
    const start = page.after ? matching.findIndex(({ id }) => id === page.after?.at(-1)) + 1 : 0;
    const { rows, pagination } = toPage(matching.slice(start, start + page.limit + 1), page, ({ id }) => [id], matching.length);
    return Promise.resolve({
      payload: { formats: rows.map((format) => presentFormat(format, agentUrl)), pagination, ...(session?.isSandbox ? { sandbox: true } : {}) },
      summary: `${rows.length} creative formats.`,
    });
  },
};

function matches(format: FormatDefinition, filters: Filters): boolean {
  // None of our formats promises accessibility or disclosures, or makes one creative of another.
  if ([filters.wcag_level, filters.disclosure_positions, filters.disclosure_persistence, filters.output_format_ids, filters.input_format_ids].some((filter) => filter !== undefined)) return false;
  const { format_ids: ids, asset_types: types, name_search: search, is_responsive: isResponsive } = filters;
  const isFixed = format.kind === "display";
  return (!ids || ids.some(({ id }) => findFormat(id) === format))
    && (!types || types.every((type) => format.assets.some((slot) => slot.type === type)))
    && (search === undefined || format.name.toLowerCase().includes(search.toLowerCase()))
    && (isResponsive === undefined || isResponsive !== isFixed)
    && matchesSize(format, filters, isFixed);
}

/** Sizes are those of fixed renders: a format that takes its place's size matches no bound. */
function matchesSize({ width, height }: FormatDefinition, { max_width: widthMax, max_height: heightMax, min_width: widthMin, min_height: heightMin }: Filters, isFixed: boolean): boolean {
  if ([widthMax, heightMax, widthMin, heightMin].every((bound) => bound === undefined)) return true;
  return isFixed && width <= (widthMax ?? Infinity) && height <= (heightMax ?? Infinity) && width >= (widthMin ?? 0) && height >= (heightMin ?? 0);
}
