/** What a person can decide when an order cannot go on. Ids are understood by the fulfilment, whatever the ad server. */
export type Choice = { id: string; label: string };

const RETRY = { id: "retry", label: "Try again" };
const GIVE_UP = { id: "give_up", label: "Give up this order" };

export const RETRY_CHOICES: Choice[] = [RETRY, GIVE_UP];
export const INVENTORY_CHOICES: Choice[] = [
  { id: "overbook", label: "Book it although inventory is short" },
  { id: "skip_inventory_check", label: "Book it without an inventory check" },
  GIVE_UP,
];
