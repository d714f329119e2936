import { parentOf, type Call, type Handler } from "../call";
import type { ServiceAccount } from "../accounts";
import { ApiError } from "../errors";
import type { Transaction } from "../store";
import type { Row } from "../table";
import { getByPath } from "./crud";
import { showStored, type ResourceKind } from "./kind";

const userKind: ResourceKind = {
  collection: "users",
  message: "User",
  singular: "user",
  plural: "users",
  filterFields: [],
  render: showStored,
};

/** `me` is the service account's own user. */
export const getUser: Handler = getByPath(userKind, (call) =>
  call.ids[0] === "me" ? ownUser(call).name : `${parentOf(call)}/users/${call.ids[0] ?? ""}`);

export function ownUser(call: Call): Row {
  const [user] = call.network.tables.users.findBy("email", call.account.email);
  if (!user) throw new ApiError("PERMISSION_DENIED", "The caller is no user of this network.");
  return user;
}

/** A service account acts as a user of each network that it may use. */
export function addAccountUser(transaction: Transaction, account: ServiceAccount): void {
  const { network } = transaction;
  if (network.tables.users.findBy("email", account.email).length > 0) return;
  const id = transaction.nextId("users");
  const name = `networks/${network.code}/users/${id}`;
  transaction.put("users", {
    name,
    resource: {
      name, userId: id, displayName: account.email.split("@")[0] ?? account.email, email: account.email,
      role: `networks/${network.code}/roles/-1`, active: true, serviceAccount: true,
    },
    hidden: {},
  });
}
