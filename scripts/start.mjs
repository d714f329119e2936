// `npm start`: works on a fresh clone with nothing but Node and npm. Installs what is missing, then hands over to start.ts.
import path from "node:path";
import { ensureDependencies } from "./dependencies.mjs";

process.chdir(path.resolve(import.meta.dirname, ".."));
ensureDependencies();
const { register } = await import("tsx/esm/api");
register();
await import("./start.ts");
