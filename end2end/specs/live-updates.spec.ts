import type { Page } from "@playwright/test";
import { CHARTS, isoTime } from "../fixtures/dashboard";
import { NOON } from "../fixtures/synthetic-host";
import { expect, test } from "../fixtures/test";
import { mismatches } from "../fixtures/values";

test("displayed values equal the stream's at the displayed second", async ({ server, dashboard, record }) => {
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  const seen = new Set<number>();
  while (seen.size < 6) {
    await recorder.next();
    const { newest, values } = await dashboard.readWhenCaughtUp(recorder);
    expect(mismatches(values, await recorder.at(newest))).toEqual([]);
    seen.add(newest);
  }
});

test("page and charts update once per tick", async ({ server, dashboard, record }) => {
  const recorder = await record(server.url);
  await countDrawings(dashboard.page);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  const updates = await dashboard.page.evaluateHandle(recordUpdates);
  await expect.poll(() => updates.evaluate(({ length }) => length), { timeout: 20_000 }).toBeGreaterThan(8);

  const seen = await updates.evaluate((updates) => updates);
  const [first, last] = [seen.at(0)!.t, seen.at(-1)!.t];
  await recorder.at(last);
  expect(seen.map(({ t }) => t)).toEqual(recorder.ticks.filter((t) => first <= t && t <= last));
  for (const chart of CHARTS) {
    const drawings = seen.slice(1).map((update, i) => update.drawings[chart]! - seen[i]!.drawings[chart]!);
    expect(drawings, `drawings of ${chart} from tick to tick`).toEqual(drawings.map(() => 1));
    // The window is not full yet, so every tick makes every line longer.
    expect(new Set(seen.map(({ images }) => images[chart])).size, `images of ${chart}`).toBe(seen.length);
  }
});

test("chart is not redrawn for less than a pixel or in a frozen view", async ({ dashboard, page, syntheticHost }) => {
  const host = await syntheticHost("long-history");
  await countDrawings(page);
  await dashboard.open(900, host.url);
  const newest = page.locator(".newest");
  const advance = async (tick: number) => {
    host.next();
    await expect(newest).toHaveAttribute("datetime", isoTime(NOON + tick * 1000));
  };
  // Hydration, with its own redraw, is over once a tick is displayed.
  await advance(0);
  const updates = await page.evaluateHandle(recordUpdates);
  for (let tick = 1; tick <= 6; tick++) await advance(tick);
  // Pause fetches more history, and redraws once that arrives.
  const history = page.waitForResponse(/snapshot/);
  await page.getByRole("button", { name: "Pause" }).click();
  await (await history).finished();
  for (let tick = 7; tick <= 9; tick++) await advance(tick);
  await expect.poll(() => updates.evaluate(({ length }) => length)).toBe(9);

  const seen = await updates.evaluate((updates) => updates);
  for (const chart of CHARTS) {
    const drawings = seen.slice(1).map((update, i) => update.drawings[chart]! - seen[i]!.drawings[chart]!);
    expect(drawings.slice(0, 5), `drawings of ${chart} from tick to tick`).toEqual([1, 0, 1, 0, 1]);
    expect(drawings.slice(6), `drawings of ${chart} while it is frozen`).toEqual([0, 0]);
  }
});

test("tick that a slow network splits is displayed whole", async ({ dashboard, page, syntheticHost }) => {
  const host = await syntheticHost("typical");
  await page.addInitScript(delayAfterCpu);
  await dashboard.open(60, host.url);
  const headline = page.locator("#memory .figure b");
  const texts = await headline.evaluateHandle((element) => {
    const texts: (string | null)[] = [];
    const record = () => texts.push(element.textContent);
    new MutationObserver(record).observe(element, { subtree: true, childList: true, characterData: true });
    return texts;
  });
  for (let tick = 0; tick < 4; tick++) {
    host.next();
    await expect(dashboard.newest).toHaveAttribute("datetime", isoTime(NOON + tick * 1000));
  }
  expect(await texts.evaluate((texts) => texts)).not.toContain("–");
  await expect(headline).toHaveText(/^[0-9.]+$/);
});

/** Delivers the `cpu` event of each tick some frames before the others. It runs in the page. */
function delayAfterCpu() {
  const { addEventListener } = EventSource.prototype;
  EventSource.prototype.addEventListener = function (name: string, listener: unknown) {
    const isDelayed = !["hello", "window", "cpu", "error"].includes(name);
    const deliver = (event: Event) => (listener as EventListener)(event);
    const delayed = (event: Event) => setTimeout(() => deliver(event), 100);
    Reflect.apply(addEventListener, this, [name, isDelayed ? delayed : deliver]);
  };
}

declare global {
  interface HTMLCanvasElement {
    /** Number of redraws. */
    drawings?: number;
  }
}

async function countDrawings(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const { prototype } = CanvasRenderingContext2D;
    const { clearRect } = prototype;
    prototype.clearRect = function (...rect) {
      this.canvas.drawings = (this.canvas.drawings ?? 0) + 1;
      Reflect.apply(clearRect, this, rect);
    };
  });
}

interface Update {
  t: number;
  drawings: Record<string, number>;
  images: Record<string, string>;
}

/** Records each tick that the page displays from now on. It runs in the page. */
function recordUpdates(): Update[] {
  const newest = document.querySelector<HTMLTimeElement>(".newest")!;
  const updates: Update[] = [];
  const record = () => {
    const canvases = [...document.querySelectorAll<HTMLCanvasElement>(".drawing:not(.strip) canvas")];
    const each = <T>(of: (canvas: HTMLCanvasElement) => T) =>
      Object.fromEntries(canvases.map((canvas) => [canvas.closest(".panel")!.id, of(canvas)]));
    updates.push({
      t: Date.parse(newest.dateTime),
      drawings: each((canvas) => canvas.drawings ?? 0),
      images: each((canvas) => canvas.toDataURL()),
    });
  };
  // The whole page is updated before the next task runs.
  new MutationObserver(() => setTimeout(record)).observe(newest, { attributeFilter: ["datetime"] });
  return updates;
}
