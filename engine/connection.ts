/** A new connection would ask the server for its array types first, and nobody would hear of it if that failed: the process would end. No arrays are sent or read here. */
export const withoutTypeQuery = { fetch_types: false };
