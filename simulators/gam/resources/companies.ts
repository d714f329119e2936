import { parentOf } from "../call";
import type { JsonObject } from "../json";
import { checkLength } from "./checks";
import { showStored, type WritableKind } from "./kind";

export const companyKind: WritableKind = {
  collection: "companies",
  message: "Company",
  singular: "company",
  plural: "companies",
  filterFields: ["name", "companyId", "displayName", "type", "externalId", "creditStatus", "updateTime"],
  render: showStored,
  build: (call, input, path) => {
    check(input, path);
    const id = call.transaction.nextId("companies");
    return { name: `${parentOf(call)}/companies/${id}`, resource: { creditStatus: "ACTIVE", ...input, companyId: id }, hidden: {} };
  },
  revise: (_call, before, after, _input, path) => {
    check(after, path);
    return { resource: after, hidden: before.hidden };
  },
};

function check(company: JsonObject, path: string): void {
  checkLength(company, "displayName", 127, path);
  checkLength(company, "externalId", 255, path);
  checkLength(company, "comment", 1024, path);
}
