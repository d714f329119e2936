import { hashPassword, PASSWORD_CHARACTERS_MIN } from "@/lib/auth/passwords";
import { newId } from "@/lib/ids";
import { readOptions, readSecret } from "./arguments";
import { connectAsOwner } from "./connect";

const USAGE = `usage: npm run create-admin -- --email you@publisher.example --name "Your Name" --publisher slug [--publisher-name "Publisher"] [--time-zone Europe/Berlin] [--currency EUR]
The password is asked for (or read from standard input). A publisher that does not exist is made.`;

async function main(): Promise<void> {
  const options = readOptions(USAGE, ["email", "name", "publisher"], ["publisher-name", "time-zone", "currency"]);
  if (!/^[^@\s]+@[^@\s]+$/.test(options.email)) throw new Error("--email is not an e-mail address.");
  if (!/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(options.publisher)) throw new Error("--publisher must be a short name of lower-case letters, digits and hyphens.");
  const timeZone = options["time-zone"] ?? "UTC";
  const currency = options.currency ?? "USD";
  if (!Intl.supportedValuesOf("timeZone").concat("UTC").includes(timeZone)) throw new Error(`--time-zone ${timeZone} is not an IANA time zone such as Europe/Berlin.`);
  if (!Intl.supportedValuesOf("currency").includes(currency)) throw new Error(`--currency ${currency} is not an ISO 4217 code such as EUR.`);
  const password = await readSecret(`Password (at least ${PASSWORD_CHARACTERS_MIN} characters): `);
  if (password.length < PASSWORD_CHARACTERS_MIN) throw new Error(`The password needs at least ${PASSWORD_CHARACTERS_MIN} characters.`);

  const { admin, close } = await connectAsOwner();
  try {
    const passwordHash = await hashPassword(password);
    await admin.begin(async (tx) => {
      const [held] = await tx<{ has_demo: boolean }[]>`select has_demo from service_health()`;
      if (held?.has_demo) throw new Error("This database holds demo publishers, whose passwords and tokens are public. Use another database for a real publisher.");
      const [found] = await tx<{ id: string }[]>`select tenant_id as id from tenant_by_slug(${options.publisher})`;
      const tenantId = found?.id ?? newId();
      // FORCE ROW LEVEL SECURITY holds for the owner too.
      await tx`select set_config('app.tenant_id', ${tenantId}, true)`;
      if (!found) await tx`insert into tenants (id, slug, name, time_zone, default_currency) values (${tenantId}, ${options.publisher}, ${options["publisher-name"] ?? options.publisher}, ${timeZone}, ${currency})`;
      const [user] = await tx<{ user_id: string }[]>`select user_id from staff_sign_in(${options.email})`;
      if (user) throw new Error("This person exists already. An administrator can change roles under People; npm run set-password sets a new password.");
      const userId = newId();
      await tx`select set_config('role', 'greenlight_worker', true)`;
      await tx`insert into users (id, email, name, password_hash) values (${userId}, ${options.email}, ${options.name}, ${passwordHash})`;
      await tx`select set_config('role', 'none', true)`;
      await tx`insert into memberships (tenant_id, user_id, role) values (${tenantId}, ${userId}, 'admin')`;
    });
  } finally {
    await close();
  }
  console.log(`${options.email} is an administrator of ${options.publisher}.`);
}

main().then(() => process.exit(0), (error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
