import { get } from "node:http";
import { availableParallelism, freemem } from "node:os";
import { resolve } from "node:path";
import { statSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { expect, test } from "./fixtures/test";

const path = resolve(import.meta.dirname, "../docs/screenshot.png");
const seconds = Number(process.env.HOSTBEAT_SCREENSHOT);

// The clip sets the height, as long as the viewport is lower.
test.use({ viewport: { width: 1280, height: 600 }, colorScheme: "light" });

test("README screenshot of a busy host stays below 300 KiB", async ({ dashboard, page, baseURL, record }) => {
  test.setTimeout((seconds + 60) * 1000);
  const load = new Load(baseURL!);
  const recorder = await record();
  for (const end = recorder.newest + seconds * 1000; recorder.newest < end;) load.follow(await recorder.next());
  await dashboard.open(300);
  await expect(dashboard.indicator).toHaveText("live");
  await recorder.at((await dashboard.read()).newest + 2000);
  // Leaves out the tables of services and processes, which would show this machine's own.
  const { y } = (await page.locator("#services:not([hidden]), #processes").first().boundingBox())!;
  await page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width: 1280, height: Math.floor(y) } });
  await load.stop();
  expect(statSync(path).size).toBeLessThan(300 * 1024);
});

/** Loads CPU, memory and connections in waves of different periods. */
class Load {
  readonly #cores = Array.from({ length: availableParallelism() }, () => new Worker(`(${burn})()`, { eval: true }));
  readonly #blocks: Buffer[] = [];
  readonly #viewers: AbortController[] = [];
  readonly #blockSize = Math.round(freemem() / 100);

  constructor(readonly url: string) {}

  follow(t: number): void {
    const wave = (period: number) => (1 + Math.sin((2 * Math.PI * t) / 1000 / period)) / 2;
    for (const [i, core] of this.#cores.entries())
      core.postMessage(0.04 + 0.3 * wave(47 + 16 * i) + 0.3 * wave(11) * wave(140));
    resize(this.#blocks, 2 + 14 * wave(170), () => Buffer.alloc(this.#blockSize, 1));
    resize(
      this.#viewers,
      12 * wave(90),
      () => this.#view(),
      (viewer) => viewer.abort(),
    );
    // Connections that close leave sockets in time-wait.
    if (wave(70) > 0.6) get(this.url, { agent: false }, (response) => response.resume());
  }

  async stop(): Promise<void> {
    resize(
      this.#viewers,
      0,
      () => this.#view(),
      (viewer) => viewer.abort(),
    );
    await Promise.all(this.#cores.map((core) => core.terminate()));
  }

  #view(): AbortController {
    const viewer = new AbortController();
    const follow = async () => {
      const { body } = await fetch(`${this.url}/api/stream`, { signal: viewer.signal });
      for await (const _ of body!);
    };
    follow().catch(() => {});
    return viewer;
  }
}

/** Grows or shrinks `items` to `length`. */
function resize<T>(items: T[], length: number, create: () => T, drop: (item: T) => void = () => {}): void {
  while (items.length < Math.floor(length)) items.push(create());
  while (items.length > Math.floor(length)) drop(items.pop()!);
}

/** Keeps a core busy for the received share of the time, partly in system calls. It runs in a worker thread. */
function burn(): void {
  const { parentPort } = require("node:worker_threads");
  const { readdirSync } = require("node:fs");
  const PERIOD_MS = 50;
  let share = 0;
  parentPort.on("message", (received: number) => (share = received));
  setInterval(() => {
    const end = performance.now() + PERIOD_MS * share;
    while (performance.now() < end) if (Math.random() < 0.003) readdirSync("/proc");
  }, PERIOD_MS);
}
