/// A `shopwright serve` of a test's own: started, stopped, killed, and started again where it was.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const program = process.env["SHOPWRIGHT_E2E_PROGRAM"] ?? resolve("../target/debug/shopwright");

/// What a simulated server is started with: everything in memory, no pauses between creations, room for many accounts.
export const SIMULATED = {
  SHOPWRIGHT_SIMULATED: "true",
  SHOPWRIGHT_COOKIES: "plain",
  ADMIN_EMAIL: "admin@example.com",
  ADMIN_PASSWORD: "correct-horse",
  STORE_CREATION_COOLDOWN_MS: "0",
  MAX_STORES_PER_USER: "20",
  LOGIN_RATE_LIMIT_MAX: "10000",
  REGISTER_RATE_LIMIT_MAX: "10000",
  RATE_LIMIT_MAX: "100000",
  SHOPWRIGHT_USER_RATE_LIMIT_MAX: "100000",
  LOG_FORMAT: "json",
};

export class Server {
  private child: ChildProcess | null = null;
  private readonly directory = mkdtempSync(join(tmpdir(), "shopwright-e2e-"));

  private constructor(
    readonly port: number,
    private readonly settings: Record<string, string>,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  static async start(settings: Record<string, string>): Promise<Server> {
    const server = new Server(await freePort(), settings);
    await server.again();
    return server;
  }

  /// Starts it on the port that it had, and waits until it is ready.
  async again(settings: Record<string, string> = {}): Promise<void> {
    const log = openSync(join(this.directory, "server.log"), "a");
    const child = spawn(program, ["serve"], {
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: process.env["HOME"] ?? "",
        DATA_DIR: join(this.directory, "data"),
        ...this.settings,
        ...settings,
        HTTP_ADDR: `127.0.0.1:${this.port}`,
      },
      stdio: ["ignore", log, log],
    });
    this.child = child;
    const began = Date.now();
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${this.log()}`);
      const ready = await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false);
      if (ready) return;
      if (Date.now() - began > 90_000) throw new Error(`the server is not ready:\n${this.log()}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  /// Tells it to end, or kills it, and waits until it has.
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    await ended;
  }

  async end(): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.directory, { recursive: true, force: true });
  }

  log(): string {
    return readFileSync(join(this.directory, "server.log"), "utf8").split("\n").slice(-40).join("\n");
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === "object" ? done(address.port) : fail(new Error("no port"))));
    });
  });
}
