import { connectAsOwner } from "./connect";

try {
  const { close } = await connectAsOwner();
  await close();
  console.log("The database is migrated, and the app's role holds its grants.");
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
