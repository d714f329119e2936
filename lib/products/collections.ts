import { type FieldErrors } from "../field-errors";
import { type ProductCollection } from "../inventory-lists/match";

/** Registries and platforms whose ids name a collection everywhere (enums/distribution-identifier-type.json). */
export const COLLECTION_ID_TYPES = [
  "apple_podcast_id", "spotify_collection_id", "rss_url", "podcast_guid", "amazon_music_id", "iheart_id", "podcast_index_id", "youtube_channel_id", "youtube_playlist_id", "amazon_title_id", "roku_channel_id",
  "pluto_channel_id", "tubi_id", "peacock_id", "tiktok_id", "twitch_channel", "imdb_id", "gracenote_id", "eidr_id", "domain", "substack_id",
];

export const COLLECTIONS_MAX = 50;
const DOMAIN = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;
const COLLECTION_ID = /^[\w.-]{1,100}$/;
const IDENTIFIER = /^([a-z_]+):([^\s<>,|]{1,300})$/;
const NAME_LENGTH_MAX = 150;

/** Reads collections as staff write them, one a line: `news.example/trail_life | Trail Life | imdb_id:tt9100001`. What is wrong is said of `path`. */
export function parseCollections(text: string, path: string, errors: FieldErrors): ProductCollection[] {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (lines.length > COLLECTIONS_MAX) errors.add(path, `Name at most ${COLLECTIONS_MAX} collections.`);
  const collections = lines.slice(0, COLLECTIONS_MAX).flatMap((line, index) => {
    const read = parseLine(line);
    if (typeof read !== "string") return [read];
    errors.add(path, `Line ${index + 1}: ${read}`);
    return [];
  });
  const keys = collections.map(({ publisherDomain, collectionId }) => `${publisherDomain}/${collectionId}`);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice) errors.add(path, `${twice} is named twice.`);
  return collections;
}

/** What is wrong, in words, or the collection. */
function parseLine(line: string): ProductCollection | string {
  const [place = "", name = "", ids = "", ...more] = line.split("|").map((part) => part.trim());
  const slash = place.indexOf("/");
  const [publisherDomain, collectionId] = [place.slice(0, slash).toLowerCase(), place.slice(slash + 1)];
  if (more.length > 0 || slash < 0 || name === "") return "write domain/collection_id | name | identifiers.";
  if (!DOMAIN.test(publisherDomain)) return `“${publisherDomain}” is not a domain.`;
  if (!COLLECTION_ID.test(collectionId)) return `“${collectionId}” is not a collection id: use letters, digits, dots, hyphens and underscores.`;
  if (name.length > NAME_LENGTH_MAX || /[<>]/.test(name)) return `use a name of at most ${NAME_LENGTH_MAX} characters without < and >.`;
  const identifiers = ids.split(",").map((id) => id.trim()).filter((id) => id !== "");
  const wrong = identifiers.find((id) => !COLLECTION_ID_TYPES.includes(IDENTIFIER.exec(id)?.[1] ?? ""));
  if (wrong !== undefined) return `“${wrong}” is not an identifier: write imdb_id:tt9100001, podcast_guid:… or another type of the protocol's.`;
  return { publisherDomain, collectionId, name, identifiers: [...new Set(identifiers)] };
}

/** The text that parseCollections reads. */
export function writeCollections(collections: readonly ProductCollection[]): string {
  return collections.map(({ publisherDomain, collectionId, name, identifiers }) => [`${publisherDomain}/${collectionId}`, name, ...(identifiers.length > 0 ? [identifiers.join(", ")] : [])].join(" | ")).join("\n");
}
