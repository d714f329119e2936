import type { JsonObject } from "./json";
import { seedTime, type SeedBuilder } from "./seed-builder";

type Environment = "BROWSER" | "VIDEO_PLAYER";
type Size = readonly [width: number, height: number, sizeType?: "PIXEL" | "FLUID" | "NATIVE" | "AUDIO"];

interface Slot {
  code: string;
  title: string;
  environment: Environment;
  sizes: readonly Size[];
}

const displaySlots: readonly Slot[] = [
  { code: "leaderboard", title: "Leaderboard", environment: "BROWSER", sizes: [[728, 90], [970, 90], [970, 250]] },
  { code: "mpu", title: "Medium rectangle", environment: "BROWSER", sizes: [[300, 250]] },
  { code: "halfpage", title: "Half page", environment: "BROWSER", sizes: [[300, 600], [160, 600]] },
  { code: "native", title: "Native in feed", environment: "BROWSER", sizes: [[1, 1, "NATIVE"], [320, 50, "FLUID"]] },
  { code: "mobile", title: "Mobile banner", environment: "BROWSER", sizes: [[320, 50], [320, 100], [300, 250]] },
];

const mediaSlots: Readonly<Record<string, readonly Slot[]>> = {
  video: [
    { code: "preroll", title: "Preroll", environment: "VIDEO_PLAYER", sizes: [[640, 480], [1920, 1080]] },
    { code: "midroll", title: "Midroll", environment: "VIDEO_PLAYER", sizes: [[640, 480], [1920, 1080]] },
  ],
  audio: [
    { code: "preroll", title: "Audio preroll", environment: "VIDEO_PLAYER", sizes: [[1, 1, "AUDIO"]] },
    { code: "companion", title: "Companion banner", environment: "BROWSER", sizes: [[300, 250]] },
  ],
};

const sections = ["home", "news", "sport", "business", "lifestyle", "travel", "video", "audio"];

interface Parent {
  name: string;
  path: JsonObject[];
  displayName: string;
  adUnitCode: string;
}

function addAdUnit(builder: SeedBuilder, parent: Parent | undefined, unit: { code: string; title: string; slot?: Slot; status?: string; hasChildren: boolean }): Parent {
  const id = builder.nextId("adUnits", 21_861_204_107);
  const path = parent ? [...parent.path, { parentAdUnit: parent.name, displayName: parent.displayName, adUnitCode: parent.adUnitCode }] : [];
  const adUnitCode = parent && parent.path.length > 0 ? `${parent.adUnitCode}_${unit.code}` : unit.code;
  const name = builder.add("adUnits", `${builder.parent}/adUnits/${id}`, {
    adUnitId: id,
    ...(parent ? { parentAdUnit: parent.name, parentPath: path } : {}),
    displayName: unit.title,
    adUnitCode,
    status: unit.status ?? "ACTIVE",
    effectiveTargetWindow: "TOP",
    explicitlyTargeted: false,
    hasChildren: unit.hasChildren,
    updateTime: seedTime,
    ...(unit.slot ? { adUnitSizes: unit.slot.sizes.map((size) => toAdUnitSize(size, unit.slot?.environment ?? "BROWSER")) } : {}),
    smartSizeMode: "NONE",
    effectiveAdsenseEnabled: false,
  });
  return { name, path, displayName: unit.title, adUnitCode };
}

function toAdUnitSize([width, height, sizeType = "PIXEL"]: Size, environmentType: Environment): JsonObject {
  return { size: { width, height, sizeType }, environmentType };
}

/** A root, sections below it, slots below those; returns the root's name. */
export function seedInventory(builder: SeedBuilder, adUnits: number): string {
  const root = addAdUnit(builder, undefined, { code: `ca-pub-${builder.definition.code}0000`, title: builder.definition.site, hasChildren: true });
  let remaining = adUnits - 1;
  const bySection = new Map<string, string[]>();
  for (let index = 0; remaining > 0; index++) {
    const section = sections[index] ?? `site_${index - sections.length + 1}`;
    const slots = slotsOf(section, index);
    const parent = addAdUnit(builder, root, { code: section, title: toTitle(section), hasChildren: remaining > 1 });
    remaining--;
    const names: string[] = [];
    slots.forEach((slot, position) => {
      if (remaining === 0) return;
      remaining--;
      const status = index === 5 && position === 0 ? "INACTIVE" : undefined;
      names.push(addAdUnit(builder, parent, { code: slot.code, title: `${toTitle(section)} / ${slot.title}`, slot, hasChildren: false, ...(status ? { status } : {}) }).name);
    });
    bySection.set(section, names);
  }
  seedPlacements(builder, bySection);
  return root.name;
}

/** The named sections hold one of each slot; the generated sites beyond them hold fifty, to fill large networks. */
function slotsOf(section: string, index: number): readonly Slot[] {
  const media = mediaSlots[section];
  if (media) return media;
  if (index < sections.length) return displaySlots;
  return Array.from({ length: 50 }, (_, number) => {
    const slot = displaySlots[number % displaySlots.length];
    if (!slot) throw new Error("No display slots");
    return { ...slot, code: `${slot.code}_${number + 1}`, title: `${slot.title} ${number + 1}` };
  });
}

function toTitle(code: string): string {
  return code.charAt(0).toUpperCase() + code.slice(1).replace("_", " ");
}

function seedPlacements(builder: SeedBuilder, bySection: ReadonlyMap<string, readonly string[]>): void {
  const everySection = [...bySection.values()];
  const slotsAt = (position: number): string[] => everySection.map((names) => names[position]).filter((name) => name !== undefined);
  const placements: readonly (readonly [string, readonly string[]])[] = [
    ["Run of site display", [...slotsAt(0), ...slotsAt(1)]],
    ["Homepage takeover", bySection.get("home") ?? []],
    ["News and business", [...(bySection.get("news") ?? []), ...(bySection.get("business") ?? [])]],
    ["Sport", bySection.get("sport") ?? []],
    ["Lifestyle and travel", [...(bySection.get("lifestyle") ?? []), ...(bySection.get("travel") ?? [])]],
    ["Video", bySection.get("video") ?? []],
    ["Audio", bySection.get("audio") ?? []],
    ["Native in feed", slotsAt(3)],
  ];
  for (const [displayName, targetedAdUnits] of placements) {
    const id = builder.nextId("placements", 31_904_288);
    builder.add("placements", `${builder.parent}/placements/${id}`, {
      placementId: id,
      displayName,
      description: `${displayName} on ${builder.definition.site}`,
      placementCode: id,
      status: "ACTIVE",
      ...(targetedAdUnits.length > 0 ? { targetedAdUnits: [...targetedAdUnits] } : {}),
      updateTime: seedTime,
    });
  }
}
