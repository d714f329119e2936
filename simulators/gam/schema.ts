import { z } from "zod";
import core from "./schema/core.json";
import creatives from "./schema/creatives.json";
import reports from "./schema/reports.json";

const fieldSchema = z.object({
  type: z.string(),
  behavior: z.array(z.enum(["REQUIRED", "IMMUTABLE", "OUTPUT_ONLY", "INPUT_ONLY", "IDENTIFIER"])).optional(),
  oneof: z.string().optional(),
});
const documentSchema = z.object({
  messages: z.record(z.string(), z.record(z.string(), fieldSchema)),
  enums: z.record(z.string(), z.array(z.string())),
});

type Behavior = NonNullable<z.infer<typeof fieldSchema>["behavior"]>[number];

export interface Field {
  name: string;
  /** Element type; `isRepeated` says whether the field is a list of it. */
  type: string;
  isRepeated: boolean;
  behavior: ReadonlySet<Behavior>;
  oneof: string | undefined;
}

export type Message = ReadonlyMap<string, Field>;

const messages = new Map<string, Message>();
const enums = new Map<string, ReadonlySet<string>>();

for (const source of [core, creatives, reports]) {
  const document = documentSchema.parse(source);
  for (const [name, fields] of Object.entries(document.messages)) {
    messages.set(name, new Map(Object.entries(fields).map(([field, definition]) => [field, readField(field, definition)])));
  }
  for (const [name, values] of Object.entries(document.enums)) enums.set(name, new Set(values));
}

function readField(name: string, definition: z.infer<typeof fieldSchema>): Field {
  const isRepeated = definition.type.endsWith("[]");
  return {
    name,
    type: isRepeated ? definition.type.slice(0, -2) : definition.type,
    isRepeated,
    behavior: new Set(definition.behavior),
    oneof: definition.oneof,
  };
}

export function findMessage(name: string): Message | undefined {
  return messages.get(name);
}

export function getMessage(name: string): Message {
  const message = messages.get(name);
  if (!message) throw new Error(`No such message in the schema: ${name}`);
  return message;
}

export function findEnum(name: string): ReadonlySet<string> | undefined {
  return enums.get(name);
}

/** The field at a dotted path, through repeated fields too. */
export function findField(messageName: string, path: string): Field | undefined {
  let message = messages.get(messageName);
  let field: Field | undefined;
  for (const segment of path.split(".")) {
    field = message?.get(segment);
    if (!field) return undefined;
    message = messages.get(field.type);
  }
  return field;
}
