import { type CatalogItem } from "./catalog";

/** Words that say nothing about inventory. */
const STOP_WORDS = new Set("a an and are as at be brand budget by campaign can for from i in is it looking me need of on or our over per please run the their to us want we with you your".split(" "));

const SYNONYMS: Record<string, readonly string[]> = {
  banner: ["display"], banners: ["display"], ctv: ["video"], olv: ["video"], preroll: ["video"], podcast: ["audio"], radio: ["audio"],
  programmatic: ["non", "guaranteed"], auction: ["non", "guaranteed"], reserved: ["guaranteed"], direct: ["guaranteed"],
};

/** The beginning of a brief says what it wants; each word costs a look at every product. */
const BRIEF_LENGTH_MAX = 10_000;
const WORDS_MAX = 200;

export function wordsOf(brief: string): string[] {
  const words = brief.slice(0, BRIEF_LENGTH_MAX).toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words.filter((word) => word.length > 1 && !STOP_WORDS.has(word)))].slice(0, WORDS_MAX);
}

export type Relevance = { score: number; matched: string[] };

/** How many of the brief's words the product's texts hold; words count in full, beginnings and synonyms by half. */
export function relevanceOf(item: CatalogItem, words: readonly string[]): Relevance {
  const own = new Set(item.text.split(/[^\p{L}\p{N}]+/u));
  let score = 0;
  const matched: string[] = [];
  for (const word of words) {
    const stem = word.replace(/(ing|ers|er|es|s)$/, "");
    const gain = own.has(word) ? 1 : (stem.length > 3 && [...own].some((candidate) => candidate.startsWith(stem))) || SYNONYMS[word]?.some((synonym) => own.has(synonym)) ? 0.5 : 0;
    if (gain > 0) matched.push(word);
    score += gain;
  }
  return { score, matched };
}
