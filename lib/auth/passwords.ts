import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** scrypt with OWASP's second recommendation (N = 2^15, r = 8, p = 3): 32 MiB and some 0.2 s a guess. Parameters travel with the hash. */
const PARAMETERS = { N: 2 ** 15, r: 8, p: 3 };
const KEY_BYTES = 32;

function derive(password: string, salt: Buffer, parameters: typeof PARAMETERS): Promise<Buffer> {
  // The same person may type an accented letter as one code point or two.
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, KEY_BYTES, { ...parameters, maxmem: 256 * parameters.N * parameters.r }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** Text form: `scrypt$N$r$p$salt$key`, the last two in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, PARAMETERS);
  return ["scrypt", PARAMETERS.N, PARAMETERS.r, PARAMETERS.p, salt.toString("base64url"), key.toString("base64url")].join("$");
}

/**
 * Whether the password is the one behind the hash, in time that does not depend on where they differ. Without a hash (nobody of
 * that name, or no password set) it takes as long and answers false, so that the answer's time names no account.
 */
export async function verifyPassword(password: string, storedHash: string | null): Promise<boolean> {
  const [kind, n, r, p, salt, key] = (storedHash ?? "").split("$");
  if (kind !== "scrypt" || !salt || !key) {
    await derive(password, randomBytes(16), PARAMETERS);
    return false;
  }
  const expected = Buffer.from(key, "base64url");
  const actual = await derive(password, Buffer.from(salt, "base64url"), { N: Number(n), r: Number(r), p: Number(p) });
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

export const PASSWORD_CHARACTERS_MIN = 12;
const PASSWORD_CHARACTERS_MAX = 200;
const DISTINCT_CHARACTERS_MIN = 5;

/** What is wrong with a new password, in words; null when it will do. Length counts, not kinds of characters; what anybody would try first is refused. */
export function passwordProblem(password: string, person: { email: string; name: string }): string | null {
  if (password.length < PASSWORD_CHARACTERS_MIN) return `Use at least ${PASSWORD_CHARACTERS_MIN} characters.`;
  if (password.length > PASSWORD_CHARACTERS_MAX) return `Use at most ${PASSWORD_CHARACTERS_MAX} characters.`;
  if (new Set(password).size < DISTINCT_CHARACTERS_MIN) return "Use more different characters.";
  const plain = password.toLowerCase();
  if (plain === person.email.toLowerCase() || plain === person.name.toLowerCase()) return "Choose something other than your name or address.";
  return null;
}
