import { buildIfNeeded } from "./build";

try {
  buildIfNeeded((line) => console.log(line));
  console.log("The production build is current.");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
