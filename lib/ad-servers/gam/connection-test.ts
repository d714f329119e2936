import { AdServerError, type AdServerDriver, type Call } from "../types";
import { GamClient } from "./client";
import { networkSchema, userSchema } from "./resources";

type TestResult = Awaited<ReturnType<AdServerDriver["testConnection"]>>;

/**
 * Whether the key opens the network and may work in it. Throws when the network itself cannot be read: then there is nothing to
 * compare. What the network says of currency and time zone is compared by the caller.
 */
export async function testConnection(call: Call): Promise<TestResult> {
  const client = new GamClient(call);
  const network = await client.get(client.network, networkSchema);
  const notes: TestResult["notes"] = [
    { name: "Network", outcome: "pass", message: `The key opens “${network.displayName}” (${client.connection.networkCode}).` },
    await checkUser(client), ...await checkTrafficker(client), await checkListed(client),
  ];
  if (network.testNetwork) notes.push({ name: "Test network", outcome: "warn", message: "This is one of Google's test networks: nothing in it is ever served." });
  if (network.effectiveRootAdUnit === "") notes.push({ name: "Inventory", outcome: "warn", message: "The network names no root ad unit: there may be nothing to target yet." });
  return { networkName: network.displayName, currency: network.currencyCode, timeZone: network.timeZone, notes };
}

type Note = TestResult["notes"][number];

async function checkUser(client: GamClient): Promise<Note> {
  return note("User", async () => {
    const user = await client.get(`${client.network}/users/me`, userSchema);
    return user.active
      ? { outcome: "pass", message: `The service account acts as the user “${user.displayName}”.` }
      : { outcome: "fail", message: `The service account's user “${user.displayName}” is deactivated in Google Ad Manager.` };
  });
}

async function checkTrafficker(client: GamClient): Promise<Note[]> {
  const { traffickerId } = client.connection;
  if (traffickerId === undefined) return [];
  return [await note("Trafficker", async () => {
    const user = await client.get(client.name("users", traffickerId), userSchema);
    return user.active
      ? { outcome: "pass", message: `New orders name “${user.displayName}” as their trafficker.` }
      : { outcome: "fail", message: `The trafficker “${user.displayName}” is deactivated in Google Ad Manager.` };
  })];
}

async function checkListed(client: GamClient): Promise<Note> {
  return note("Access", async () => {
    const { items } = await client.page({ path: "networks", key: "networks", schema: networkSchema });
    const others = items.filter(({ name }) => name !== client.network).length;
    if (items.length === others) return { outcome: "warn", message: "The key's list of networks does not name this one." };
    return others === 0
      ? { outcome: "pass", message: "The key opens this network alone." }
      : { outcome: "warn", message: `The key opens ${others} other ${others === 1 ? "network" : "networks"} too. A key of its own for each is safer.` };
  });
}

/** A refusal is a finding; a fault of the connection is not, and ends the test. */
async function note(name: string, check: () => Promise<Omit<Note, "name">>): Promise<Note> {
  try {
    return { name, ...await check() };
  } catch (error) {
    if (error instanceof AdServerError && error.options.isPermanent) return { name, outcome: "fail", message: error.message };
    throw error;
  }
}
