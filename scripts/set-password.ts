import { hashPassword, passwordProblem } from "@/lib/auth/passwords";
import { readOptions, readSecret } from "./arguments";
import { connectAsOwner } from "./connect";

const USAGE = `usage: npm run set-password -- --email you@publisher.example
For people whose password no administrator may set: the only administrator, or somebody who works for several publishers.
The new password is asked for (or read from standard input). Signs the person out everywhere.`;

async function main(): Promise<void> {
  const { email } = readOptions(USAGE, ["email"]);
  const password = await readSecret("New password: ");
  const { admin, close } = await connectAsOwner();
  try {
    const [person] = await admin<{ user_id: string; email: string; name: string }[]>`select user_id, email, name from staff_sign_in(${email})`;
    if (!person) throw new Error(`Nobody has the address ${email}.`);
    const problem = passwordProblem(password, person);
    if (problem) throw new Error(problem);
    const passwordHash = await hashPassword(password);
    await admin.begin(async (tx) => {
      await tx`select set_config('role', 'greenlight_worker', true)`;
      await tx`update users set password_hash = ${passwordHash}, session_version = session_version + 1 where id = ${person.user_id}`;
    });
    console.log(`${person.name} (${person.email}) has a new password and is signed out everywhere.`);
  } finally {
    await close();
  }
}

main().then(() => process.exit(0), (error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
