import type { CDPSession, Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isoTime } from "./fixtures/dashboard";
import { NOON } from "./fixtures/synthetic-host";
import type { Values } from "./fixtures/recorder";
import { expect, test } from "./fixtures/test";

/**
 * Milliseconds that a tick may take of the page's own time: events, figures, charts, style and layout. On average: so many
 * points move by less than a pixel, and are drawn with every other tick.
 */
const BUDGET_MS = 4;
const POINTS = 900;
/** Ticks that are measured, after as many that let the browser compile what is called often. */
const TICKS = 150;
/** Both take turns, so that a machine that wanders wanders for both. */
const ROUNDS = 3;

/** The charts that uPlot draws, of the same figures. Where ours are stacked, its are filled. */
const CHARTS = [
  { filled: true, paths: ["cpu.user", "cpu.nice", "cpu.system", "cpu.irq", "cpu.steal", "cpu.iowait"] },
  { filled: true, paths: ["memory.used", "memory.cached"] },
  { filled: false, paths: ["load.one", "load.five", "load.fifteen"] },
  { filled: false, paths: ["pressure.cpu.some", "pressure.memory.some", "pressure.io.some"] },
  {
    filled: false,
    paths: ["tcp.established", "tcp.time_wait", "tcp.listen", "viewers"].map((path) => `connections.${path}`),
  },
  { filled: false, paths: ["network.rx_bytes", "network.tx_bytes"] },
  { filled: false, paths: ["disk.read_bytes", "disk.write_bytes"] },
];

test.use({ viewport: { width: 1440, height: 1000 }, trace: "off" });

test("a tick is drawn within its budget", async ({ browser, record, syntheticHost }) => {
  test.setTimeout(180_000);
  const { url } = await syntheticHost("long");
  const recorder = await record(url);
  const seconds = recorder.ticks.map((t) => recorder.samples.get(t)!);
  expect(seconds).toHaveLength(POINTS + 2 * TICKS);
  const measured = { hostbeat: [] as Cost[], uPlot: [] as Cost[] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, prepare] of [["hostbeat", hostbeat], ["uPlot", uPlot]] as const) {
      const page = await browser.newPage();
      await prepare(page, url, seconds);
      measured[name].push(await cost(page));
      await page.close();
    }
  }
  const [ours, theirs] = [median(measured.hostbeat), median(measured.uPlot)];
  const line = (name: string, { page, thread }: Cost) => `${name.padEnd(26)} ${page.toFixed(2)} ms   ${thread.toFixed(1)} ms`;
  console.log(
    `${POINTS} points, ${TICKS} ticks, median of ${ROUNDS} rounds: the page's own time for a tick, and with the browser's\n` +
      `${line("hostbeat, the whole page", ours)}\n${line("uPlot, charts alone", theirs)}\n  budget of the page's own  ${BUDGET_MS.toFixed(2)} ms`,
  );
  expect(ours.page, "milliseconds a tick").toBeLessThanOrEqual(BUDGET_MS);
});

declare global {
  /** Lets the page have the next tick. */
  var feed: () => void;
  var uPlot: new (options: object, data: number[][], into: Element) => { setData(data: number[][]): void };
}

/** Our page, with a stream that the benchmark plays. */
async function hostbeat(page: Page, url: string, seconds: Values[]): Promise<void> {
  const first = NOON - seconds.length * 1000;
  const past = { t0: first, step_ms: 1000, n: POINTS, series: columns(seconds.slice(0, POINTS)) };
  await page.addInitScript(
    ({ past, ticks }) => {
      globalThis.EventSource = class extends EventTarget {
        static CLOSED = 2;
        constructor() {
          super();
          let tick = 0;
          const newest = past.t0 + (past.n - 1) * past.step_ms;
          const event = (name: string, data: object, lastEventId = "") =>
            new MessageEvent(name, { data: JSON.stringify(data), lastEventId });
          // Beforehand: a page is given its events as text.
          const events = ticks.map((groups, tick) => {
            const t = newest + (tick + 1) * past.step_ms;
            return Object.entries(groups).map(([name, data], n) => event(name, { ...data, t }, `${t}-${n}`));
          });
          globalThis.feed = () => events[tick++]!.forEach((event) => this.dispatchEvent(event));
          setTimeout(() => {
            this.dispatchEvent(event("hello", { start: "reset", now: Date.now() }));
            this.dispatchEvent(event("window", past, `${newest}-99`));
          });
        }
        close() {}
      } as unknown as typeof EventSource;
    },
    { past, ticks: seconds.slice(POINTS).map(groups) },
  );
  await page.goto(`${url}/?window=${POINTS}`);
  await expect(page.locator(".newest")).toHaveAttribute("datetime", isoTime(first + (POINTS - 1) * 1000));
}

/** Charts alone, of the same figures at the same sizes. */
async function uPlot(page: Page, _: string, seconds: Values[]): Promise<void> {
  const series = columns(seconds);
  await page.setContent("<body></body>");
  await page.addScriptTag({ content: readFileSync(createRequire(import.meta.url).resolve("uplot/dist/uPlot.iife.min.js"), "utf8") });
  const charts = CHARTS.map(({ filled, paths }) => ({ filled, data: paths.map((path) => series[path] ?? []) }));
  await page.evaluate(
    ({ charts, points }) => {
      const plots = charts.map(({ filled, data }) => {
        const series = data.map((_, i) => ({ stroke: `hsl(${i * 60} 60% 50%)`, width: 2, ...(filled && { fill: `hsl(${i * 60} 60% 50% / 22%)` }) }));
        const into = document.body.appendChild(document.createElement("div"));
        const at = (tick: number) => [Array.from({ length: points }, (_, x) => tick + x), ...data.map((values) => values.slice(tick, tick + points))];
        return { at, plot: new globalThis.uPlot({ width: 620, height: 220, series: [{}, ...series] }, at(0) as number[][], into) };
      });
      let tick = 0;
      globalThis.feed = () => {
        tick++;
        for (const { at, plot } of plots) plot.setData(at(tick) as number[][]);
      };
    },
    { charts, points: POINTS },
  );
}

/** Milliseconds of the main thread for a tick. */
interface Cost {
  /** Scripts, style and layout. */
  page: number;
  /** Everything, with the painting, which a browser without a graphics card does there too. */
  thread: number;
}

async function cost(page: Page): Promise<Cost> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  await play(page);
  const before = await busy(session);
  await play(page);
  const after = await busy(session);
  return { page: (after.page - before.page) / TICKS, thread: (after.thread - before.thread) / TICKS };
}

/** Feeds ticks, each once the one before is on the screen. */
async function play(page: Page): Promise<void> {
  await page.evaluate(async (ticks) => {
    for (let tick = 0; tick < ticks; tick++) {
      globalThis.feed();
      // The second frame comes when what the first has drawn is done.
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    }
  }, TICKS);
}

/** What has been spent up to now, in milliseconds. */
async function busy(session: CDPSession): Promise<Cost> {
  const { metrics } = await session.send("Performance.getMetrics");
  const spent = (name: string) => metrics.find((metric) => metric.name === `${name}Duration`)!.value * 1000;
  return { page: spent("Script") + spent("RecalcStyle") + spent("Layout"), thread: spent("Task") };
}

/** The events of a tick with these figures. */
function groups(values: Values): Record<string, object> {
  const groups: Record<string, Record<string, unknown>> = {};
  for (const [path, value] of Object.entries(values)) {
    const [name, ...keys] = path.split(".");
    let into = (groups[name!] ??= {});
    for (const key of keys.slice(0, -1)) into = (into[key] ??= {}) as Record<string, unknown>;
    into[keys.at(-1)!] = value;
  }
  return groups;
}

/** Seconds as a window has them. */
function columns(seconds: Values[]): Record<string, (number | null)[]> {
  return Object.fromEntries(Object.keys(seconds[0]!).map((path) => [path, seconds.map((values) => values[path] ?? null)]));
}

function median(costs: Cost[]): Cost {
  return costs.sort((a, b) => a.page - b.page)[Math.floor(costs.length / 2)]!;
}
