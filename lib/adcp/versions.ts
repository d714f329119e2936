/** AdCP major versions that this agent speaks. */
export const SUPPORTED_MAJOR_VERSIONS = [3];
