import { type StaffRole } from "@/lib/context";
import { type ProductCollection } from "@/lib/inventory-lists/match";

type Pricing = { pricingOptionId: string; pricingModel: "cpm" | "cpc" | "time" | "flat_rate"; rateMicros?: bigint; floorMicros?: bigint; priceGuidance?: Record<string, number> };

export type DemoProduct = {
  productId: string;
  name: string;
  description: string;
  channels: string[];
  formatIds: string[];
  deliveryType: "guaranteed" | "non_guaranteed";
  isReviewRequired: boolean;
  /** Series and shows that it runs in, on the publisher's own domain. */
  collections?: Omit<ProductCollection, "publisherDomain">[];
  pricing: Pricing[];
  target: { adUnitCodes: string[]; lineItemType: string; priority?: number; sharePercent?: number };
};

export type DemoPublisher = {
  slug: string;
  name: string;
  domain: string;
  networkCode: string;
  timeZone: string;
  currency: string;
  isAdvertiserCreationAllowed: boolean;
  staff: { email: string; name: string; role: StaffRole }[];
  buyer: { name: string; token: string };
  /** Name of a further buyer, who signs with the keys of the protocol's compliance kit. */
  signingBuyer?: string;
  products: DemoProduct[];
  /** For the buyer alone: what the protocol's compliance kit names without preparing it. */
  fixtures?: {
    products: { productId: string; fixture: Record<string, unknown> }[];
    account: Record<string, unknown>;
    creatives: { creativeId: string; fixture: Record<string, unknown> }[];
  };
};

const BANNERS = ["display_300x250_image", "display_728x90_image", "display_300x250_html", "display_728x90_html"];
const usd = (amount: number) => BigInt(Math.round(amount * 1_000_000));

const PRODUCTS: DemoProduct[] = [
  {
    productId: "homepage_display", name: "Homepage display", description: "Leaderboard and medium rectangle on the homepage, seen by 1.2 million readers a week. Guaranteed impressions.",
    channels: ["display"], formatIds: BANNERS, deliveryType: "guaranteed", isReviewRequired: false,
    pricing: [{ pricingOptionId: "cpm_usd_fixed", pricingModel: "cpm", rateMicros: usd(18) }],
    target: { adUnitCodes: ["home_leaderboard", "home_mpu"], lineItemType: "STANDARD", priority: 8 },
  },
  {
    productId: "homepage_takeover", name: "Homepage takeover", description: "Every impression of the homepage for the days you book. Our staff review each order.",
    channels: ["display"], formatIds: ["display_970x250_image", "display_970x250_html", "display_300x600_image"], deliveryType: "guaranteed", isReviewRequired: true,
    pricing: [{ pricingOptionId: "day_usd_fixed", pricingModel: "time", rateMicros: usd(4_500) }],
    target: { adUnitCodes: ["home_leaderboard", "home_halfpage"], lineItemType: "SPONSORSHIP", priority: 4, sharePercent: 100 },
  },
  {
    productId: "outdoor_lifestyle_display", name: "Outdoor and lifestyle display", description: "Display inventory beside hiking, outdoor and lifestyle content. Guaranteed, and confirmed at once.",
    collections: [{ collectionId: "trail_notes", name: "Trail Notes", identifiers: ["substack_id:trailnotes"] }, { collectionId: "weekend_outside", name: "Weekend Outside", identifiers: ["imdb_id:tt9300001"] }],
    channels: ["display"], formatIds: BANNERS, deliveryType: "guaranteed", isReviewRequired: false,
    pricing: [{ pricingOptionId: "cpm_usd_fixed", pricingModel: "cpm", rateMicros: usd(14) }],
    target: { adUnitCodes: ["sport_mpu", "lifestyle_mpu"], lineItemType: "STANDARD", priority: 8 },
  },
  {
    productId: "outdoor_sport_display", name: "Sport and outdoor display", description: "Display beside sport, hiking and outdoor stories. Guaranteed; reviewed by our staff for competing campaigns.",
    channels: ["display"], formatIds: BANNERS, deliveryType: "guaranteed", isReviewRequired: true,
    pricing: [{ pricingOptionId: "cpm_usd_fixed", pricingModel: "cpm", rateMicros: usd(12.5) }],
    target: { adUnitCodes: ["sport_leaderboard", "sport_mpu"], lineItemType: "STANDARD", priority: 8 },
  },
  {
    productId: "run_of_site_auction", name: "Run of site", description: "Display across news, business and lifestyle, sold by bid above the floor.",
    channels: ["display"], formatIds: BANNERS, deliveryType: "non_guaranteed", isReviewRequired: false,
    pricing: [{ pricingOptionId: "cpm_usd_auction", pricingModel: "cpm", floorMicros: usd(2), priceGuidance: { p25: 2.4, p50: 3.1, p75: 4.5, p90: 6 } }],
    target: { adUnitCodes: ["news_leaderboard", "news_mpu", "business_mpu", "lifestyle_mpu"], lineItemType: "PRICE_PRIORITY", priority: 12 },
  },
  {
    productId: "performance_clicks", name: "Performance display", description: "Display across the site, paid by the click.",
    channels: ["display"], formatIds: BANNERS, deliveryType: "non_guaranteed", isReviewRequired: false,
    pricing: [{ pricingOptionId: "cpc_usd_fixed", pricingModel: "cpc", rateMicros: usd(1.2) }],
    target: { adUnitCodes: ["news_mpu", "travel_mpu"], lineItemType: "PRICE_PRIORITY", priority: 12 },
  },
  {
    productId: "video_preroll", name: "Video pre-roll", description: "Up to 30 seconds before our own news and sport clips, not skippable. Guaranteed.",
    channels: ["olv"], formatIds: ["video_vast_15s", "video_vast_30s"], deliveryType: "guaranteed", isReviewRequired: false,
    pricing: [{ pricingOptionId: "cpm_usd_fixed", pricingModel: "cpm", rateMicros: usd(32) }],
    target: { adUnitCodes: ["video_preroll"], lineItemType: "STANDARD", priority: 8 },
  },
  {
    productId: "native_feed", name: "Native in feed", description: "Headline and image in the look of our own stories, in the feeds of news and travel.",
    channels: ["display"], formatIds: ["native_standard"], deliveryType: "non_guaranteed", isReviewRequired: false,
    pricing: [{ pricingOptionId: "cpm_usd_fixed", pricingModel: "cpm", rateMicros: usd(9) }],
    target: { adUnitCodes: ["news_native", "travel_native"], lineItemType: "PRICE_PRIORITY", priority: 12 },
  },
  {
    productId: "podcast_audio", name: "Podcast pre-roll", description: "Audio spots before our daily podcast. Guaranteed; our staff listen to each spot first.",
    collections: [{ collectionId: "the_daily_brief", name: "The Daily Brief", identifiers: ["podcast_guid:9b024349-ccf0-5f69-a609-6b82873eab3c"] }],
    channels: ["podcast"], formatIds: ["audio_vast_15s", "audio_vast_30s"], deliveryType: "guaranteed", isReviewRequired: true,
    pricing: [{ pricingOptionId: "cpm_usd_fixed", pricingModel: "cpm", rateMicros: usd(24) }],
    target: { adUnitCodes: ["audio_preroll"], lineItemType: "STANDARD", priority: 8 },
  },
];

export const DEMO_PUBLISHERS: DemoPublisher[] = [
  {
    slug: "demo", name: "Demo Daily", domain: "demo-publisher.example", networkCode: "21700000001", timeZone: "America/New_York", currency: "USD", isAdvertiserCreationAllowed: true,
    staff: [
      { email: "admin@demo.example", name: "Alex Admin", role: "admin" },
      { email: "trafficker@demo.example", name: "Tess Trafficker", role: "trafficker" },
      { email: "viewer@demo.example", name: "Vic Viewer", role: "viewer" },
    ],
    buyer: { name: "Pinnacle Agency for Acme Outdoor", token: "demo-acme-outdoor-v1" },
    fixtures: {
      products: [{
        productId: "test-product",
        fixture: { name: "Test product", description: "For tests of the protocol alone.", delivery_type: "non_guaranteed", channels: ["display"], format_ids: BANNERS, pricing_options: ["test-pricing", "default"].map((id) => ({ pricing_option_id: id, pricing_model: "cpm", currency: "USD", fixed_price: 5 })) },
      }, {
        productId: "outdoor_ctv_q2",
        fixture: { name: "Test CTV", description: "For tests of the protocol alone.", delivery_type: "guaranteed", channels: ["olv"], format_ids: ["video_vast_30s"], pricing_options: [{ pricing_option_id: "cpm_standard", pricing_model: "cpm", currency: "USD", fixed_price: 30 }] },
      }],
      account: { brand: { domain: "test.example" }, operator: "test.example", sandbox: true },
      creatives: [
        { creativeId: "video_30s_trail_pro", fixture: { name: "Trail Pro 3000 - 30s", format_id: { id: "video_30s" } } },
        { creativeId: "display_trail_pro_300x250", fixture: { name: "Trail Pro 3000 - 300x250", format_id: { id: "display_300x250" } } },
      ],
    },
    signingBuyer: "Compliance Kit (signed requests)",
    products: PRODUCTS,
  },
  {
    slug: "other", name: "Other Publisher", domain: "other-publisher.example", networkCode: "21700000002", timeZone: "Europe/London", currency: "USD", isAdvertiserCreationAllowed: false,
    staff: [{ email: "admin@other.example", name: "Olive Other", role: "admin" }],
    buyer: { name: "Other Agency", token: "demo-other-publisher-v1" },
    products: PRODUCTS.filter((product) => ["homepage_display", "run_of_site_auction"].includes(product.productId)),
  },
];
