import type { ServiceAccount } from "./accounts";
import { publicKeyOf, type KeyFile } from "./keys";
import { addAccountUser } from "./resources/users";
import { Transaction, type Store } from "./store";

/** Registers an account and makes it a user of its networks. */
export function saveServiceAccount(store: Store, account: ServiceAccount): void {
  store.saveAccount(account);
  for (const code of account.networks) {
    const network = store.networks.get(code);
    if (!network) continue;
    const transaction = new Transaction(network);
    addAccountUser(transaction, account);
    store.commit(transaction);
  }
}

/** Makes the account of a key file known, unless it is, or was revoked. */
export function registerKeyFile(store: Store, key: KeyFile, networks: string[]): void {
  const known = store.accounts.get(key.client_email);
  const publicKey = publicKeyOf(key);
  if (known && (known.isRevoked || known.keys.some((each) => each.publicKey === publicKey))) return;
  saveServiceAccount(store, { email: key.client_email, keys: [{ id: key.private_key_id, publicKey }], networks, canApprove: true, isRevoked: false });
}
