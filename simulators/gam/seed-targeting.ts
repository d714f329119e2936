import type { SeedBuilder } from "./seed-builder";

interface Key {
  adTagName: string;
  displayName: string;
  type: "PREDEFINED" | "FREEFORM";
  values: readonly string[];
}

const keys: readonly Key[] = [
  { adTagName: "section", displayName: "Section", type: "PREDEFINED", values: ["home", "news", "sport", "business", "lifestyle", "travel", "video", "audio"] },
  { adTagName: "pagetype", displayName: "Page type", type: "PREDEFINED", values: ["front", "article", "gallery", "video", "live"] },
  { adTagName: "topic", displayName: "Topic", type: "FREEFORM", values: ["elections", "climate", "football", "markets", "recipes", "hiking", "electric-cars", "fashion"] },
  { adTagName: "kw", displayName: "Keyword", type: "FREEFORM", values: ["outdoor", "camping", "suv", "mortgage", "coffee", "flights", "hotel"] },
  { adTagName: "usertype", displayName: "User type", type: "PREDEFINED", values: ["anonymous", "registered", "subscriber"] },
  { adTagName: "lang", displayName: "Language", type: "PREDEFINED", values: ["en", "de", "es", "fr"] },
  { adTagName: "region", displayName: "Region", type: "PREDEFINED", values: ["northeast", "southeast", "midwest", "southwest", "west"] },
  { adTagName: "weather", displayName: "Weather", type: "PREDEFINED", values: ["sunny", "rain", "snow", "hot", "cold"] },
  { adTagName: "sport", displayName: "Sport", type: "PREDEFINED", values: ["football", "basketball", "baseball", "tennis", "golf", "motorsport"] },
  { adTagName: "genre", displayName: "Audio genre", type: "PREDEFINED", values: ["news", "comedy", "true-crime", "music", "business"] },
  { adTagName: "abtest", displayName: "Test group", type: "PREDEFINED", values: ["a", "b", "control"] },
  { adTagName: "env", displayName: "Environment", type: "PREDEFINED", values: ["web", "amp", "app"] },
];

export function seedTargeting(builder: SeedBuilder): void {
  for (const { values, ...key } of keys) {
    const keyId = builder.nextId("customTargetingKeys", 13_870_421);
    const keyName = builder.add("customTargetingKeys", `${builder.parent}/customTargetingKeys/${keyId}`, {
      customTargetingKeyId: keyId,
      ...key,
      status: "ACTIVE",
      reportableType: "ON",
    });
    for (const value of values) {
      const id = builder.nextId("customTargetingValues", 448_107_253_811);
      builder.add("customTargetingValues", `${builder.parent}/customTargetingValues/${id}`, {
        customTargetingKey: keyName,
        adTagName: value,
        displayName: value,
        matchType: "EXACT",
        status: "ACTIVE",
      });
    }
  }
}
