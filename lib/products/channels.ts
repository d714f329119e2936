/** Media channels of AdCP 3.0 (enums/channels.json). */
export const CHANNELS = [
  "display", "olv", "ctv", "streaming_audio", "podcast", "gaming", "retail_media", "email", "dooh", "ooh", "social", "search",
  "linear_tv", "radio", "print", "cinema", "influencer", "affiliate", "product_placement", "sponsored_intelligence",
] as const;

export type Channel = (typeof CHANNELS)[number];

const NAMES: Readonly<Record<Channel, string>> = {
  display: "Display",
  olv: "Online video",
  ctv: "Connected TV",
  streaming_audio: "Streaming audio",
  podcast: "Podcast",
  gaming: "Gaming",
  retail_media: "Retail media",
  email: "E-mail and newsletters",
  dooh: "Digital out-of-home",
  ooh: "Out-of-home",
  social: "Social",
  search: "Search",
  linear_tv: "Linear TV",
  radio: "Radio",
  print: "Print",
  cinema: "Cinema",
  influencer: "Influencer",
  affiliate: "Affiliate",
  product_placement: "Product placement",
  sponsored_intelligence: "Sponsored intelligence",
};

const names: Readonly<Record<string, string>> = NAMES;

/** A channel's name for people; of one that is not in the list, its id. */
export function channelName(channel: string): string {
  return names[channel] ?? channel;
}
