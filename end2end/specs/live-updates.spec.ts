import type { Page } from "@playwright/test";
import { CHARTS, isoTime } from "../fixtures/dashboard";
import { mismatches } from "../fixtures/values";
import { NOON } from "../fixtures/synthetic-host";
import { expect, test } from "../fixtures/test";

test("every figure is the one that the stream brought for the second shown", async ({ server, dashboard, record }) => {
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

test("the page and every chart on it move once a tick", async ({ server, dashboard, record }) => {
  const recorder = await record(server.url);
  await countDrawings(dashboard.page);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  const moves = await dashboard.page.evaluateHandle(watchMoves);
  await expect.poll(() => moves.evaluate(({ length }) => length), { timeout: 20_000 }).toBeGreaterThan(8);

  const seen = await moves.evaluate((moves) => moves);
  const [first, last] = [seen.at(0)!.t, seen.at(-1)!.t];
  await recorder.at(last);
  expect(seen.map(({ t }) => t)).toEqual(recorder.ticks.filter((t) => first <= t && t <= last));
  for (const chart of CHARTS) {
    const drawings = seen.slice(1).map((move, i) => move.drawings[chart]! - seen[i]!.drawings[chart]!);
    expect(drawings, `drawings of ${chart} from tick to tick`).toEqual(drawings.map(() => 1));
    // The window is still filling, so that every tick makes every line longer.
    expect(new Set(seen.map(({ pictures }) => pictures[chart])).size, `pictures of ${chart}`).toBe(seen.length);
  }
});

test("no chart is drawn for less than a pixel, or while it is held", async ({ dashboard, page, syntheticHost }) => {
  const host = await syntheticHost("long");
  await countDrawings(page);
  await dashboard.open(900, host.url);
  const newest = page.locator(".newest");
  const pass = async (tick: number) => {
    host.next();
    await expect(newest).toHaveAttribute("datetime", isoTime(NOON + tick * 1000));
  };
  // What a page does on taking over is done when it shows a tick.
  await pass(0);
  const moves = await page.evaluateHandle(watchMoves);
  for (let tick = 1; tick <= 6; tick++) await pass(tick);
  // Who pauses may look back: it asks for more of the past, and draws once that is there.
  const past = page.waitForResponse(/snapshot/);
  await page.getByRole("button", { name: "Pause" }).click();
  await (await past).finished();
  for (let tick = 7; tick <= 9; tick++) await pass(tick);
  await expect.poll(() => moves.evaluate(({ length }) => length)).toBe(9);

  const seen = await moves.evaluate((moves) => moves);
  for (const chart of CHARTS) {
    const drawings = seen.slice(1).map((move, i) => move.drawings[chart]! - seen[i]!.drawings[chart]!);
    expect(drawings.slice(0, 5), `drawings of ${chart} from tick to tick`).toEqual([1, 0, 1, 0, 1]);
    expect(drawings.slice(6), `drawings of ${chart} while it is held`).toEqual([0, 0]);
  }
});

declare global {
  interface HTMLCanvasElement {
    /** How often it was drawn anew. */
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

interface Move {
  t: number;
  drawings: Record<string, number>;
  pictures: Record<string, string>;
}

/** Notes each tick that the page shows from now on. It runs in the page. */
function watchMoves(): Move[] {
  const newest = document.querySelector<HTMLTimeElement>(".newest")!;
  const moves: Move[] = [];
  const note = () => {
    const canvases = [...document.querySelectorAll<HTMLCanvasElement>(".drawing:not(.strip) canvas")];
    const each = <T>(of: (canvas: HTMLCanvasElement) => T) =>
      Object.fromEntries(canvases.map((canvas) => [canvas.closest(".panel")!.id, of(canvas)]));
    moves.push({
      t: Date.parse(newest.dateTime),
      drawings: each((canvas) => canvas.drawings ?? 0),
      pictures: each((canvas) => canvas.toDataURL()),
    });
  };
  // What moves with the tick has moved when the next task runs.
  new MutationObserver(() => setTimeout(note)).observe(newest, { attributeFilter: ["datetime"] });
  return moves;
}
