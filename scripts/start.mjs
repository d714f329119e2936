// `npm start`: works on a fresh clone with nothing but Node and npm. Installs what is missing, then hands over to start.ts.
import { spawn } from "node:child_process";
import path from "node:path";
import { ensureDependencies } from "./dependencies.mjs";

process.chdir(path.resolve(import.meta.dirname, ".."));
ensureDependencies();

// In a process group of its own: Ctrl-C in a terminal signals the whole group, and would end the database before those who use it.
const child = spawn(process.execPath, ["--import", "tsx", "scripts/start.ts"], { detached: true, stdio: ["ignore", "inherit", "inherit", "ipc"] });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
