import { fork, type ChildProcess } from "node:child_process";

export type ChildSpec = { name: string; file: string; env: Record<string, string>; /** Resolves once the child sends a message of this type. */ readyMessage: string };
export type Child = { ready: Promise<void>; stop(): Promise<void>; pid(): number | undefined };

const RESTART_AFTER_MS = [200, 500, 1_000, 2_000, 5_000];

/** Runs a TypeScript entry as a child process and starts it again, a little later each time, when it dies. */
export function superviseChild(spec: ChildSpec, say: (line: string) => void): Child {
  let process_: ChildProcess | undefined;
  let isStopping = false;
  let deaths = 0;
  let announce: () => void = () => undefined;
  let giveUp: (error: Error) => void = () => undefined;
  let wasReady = false;
  const ready = new Promise<void>((resolve, reject) => {
    announce = resolve;
    giveUp = reject;
  });

  function start(): void {
    const startedAt = Date.now();
    const child = fork(spec.file, [], { execArgv: ["--import", "tsx"], env: { ...process.env, ...spec.env, EXIT_WITH_PARENT: "1" }, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    process_ = child;
    child.on("message", (message: { type?: string }) => {
      if (message.type !== spec.readyMessage) return;
      wasReady = true;
      announce();
    });
    child.once("exit", (code, signal) => {
      if (isStopping) return;
      if (!wasReady && deaths >= 2) {
        giveUp(new Error(`The ${spec.name} does not start (${signal ?? `exit ${code}`}); its messages are above.`));
        return;
      }
      deaths = Date.now() - startedAt > 60_000 ? 1 : deaths + 1;
      const delay = RESTART_AFTER_MS[Math.min(deaths, RESTART_AFTER_MS.length) - 1] ?? 5_000;
      say(`The ${spec.name} ended (${signal ?? `exit ${code}`}); it starts again in ${delay} ms.`);
      setTimeout(() => {
        if (!isStopping) start();
      }, delay);
    });
  }

  start();
  return {
    ready,
    pid: () => process_?.pid,
    async stop() {
      isStopping = true;
      const child = process_;
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill("SIGTERM");
      const force = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await gone;
      clearTimeout(force);
    },
  };
}
