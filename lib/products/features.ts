/** Optional features of the protocol's media buys (core/media-buy-features.json), as the capabilities declare them and get_products filters by them. */
export const MEDIA_BUY_FEATURES: Readonly<Record<string, boolean>> = { inline_creative_management: true, property_list_filtering: true, catalog_management: false };

/** Packages keep to collection lists: true of products that name their collections. The protocol asks for a declaration and has no name for it. */
export const COLLECTION_FEATURE = "collection_list_targeting";
