import { z } from "zod";
import { connectionInput } from "@/lib/ad-servers/input";

const LARGEST_KEY_BYTES = 32_768;
/** Left empty, these are absent. */
const OPTIONAL = new Set(["id", "version", "ratePerSecond", "credentials", "config.traffickerId"]);

/** Fields of the connection form, by name: `config.networkCode` is a setting of the ad server. */
export const connectionForm = z.preprocess(
  readFields,
  connectionInput.extend({ credentialsFile: z.instanceof(File).refine((file) => file.size <= LARGEST_KEY_BYTES, "This file is too large to be a key.").optional() }),
);

function readFields(form: unknown): unknown {
  if (typeof form !== "object" || form === null) return form;
  const fields: Record<string, unknown> = {};
  const config: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(form)) {
    if (value === "" && OPTIONAL.has(name)) continue;
    if (name.startsWith("config.")) config[name.slice("config.".length)] = value;
    else if (name === "ratePerSecond" || name === "version") fields[name] = Number(value);
    else fields[name] = value;
  }
  return { ...fields, config };
}
