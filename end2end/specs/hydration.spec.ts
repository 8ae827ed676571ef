import type { Page } from "@playwright/test";
import { CHARTS, type Dashboard } from "../fixtures/dashboard";
import { difference } from "../fixtures/pixels";
import { expect, test } from "../fixtures/test";

for (const seconds of [60, 300]) {
  test(`nothing jumps when the browser takes over the last ${seconds} seconds`, async ({ dashboard, page, syntheticHost }) => {
    const { url } = await syntheticHost("usual");
    const takeOver = await holdLibrary(page);
    await dashboard.open(seconds, url);
    const reading = await dashboard.read();
    const layout = await page.evaluate(boxes);
    const pictures = await Promise.all(CHARTS.map((chart) => dashboard.drawing(chart).screenshot()));
    for (const chart of CHARTS) await expect(dashboard.serverSvg(chart)).toBeVisible();

    takeOver();
    for (const chart of CHARTS) await expect(dashboard.serverSvg(chart)).toBeHidden();
    expect(await dashboard.read()).toEqual(reading);
    const after = await page.evaluate(boxes);
    expect(after.map(({ name }) => name)).toEqual(layout.map(({ name }) => name));
    const moved = after.filter(({ box }, i) => box.some((side, n) => Math.abs(side - layout[i]!.box[n]!) > 1));
    expect(moved).toEqual([]);
    for (const [i, chart] of CHARTS.entries()) {
      const picture = await dashboard.drawing(chart).screenshot();
      expect(await difference(page, pictures[i]!, picture), `of ${chart}, lost`).toBeLessThan(0.01);
      expect(await difference(page, picture, pictures[i]!), `of ${chart}, new`).toBeLessThan(0.01);
    }
  });
}

test("the server's drawing goes only once the canvas is drawn", async ({ dashboard, page }) => {
  await page.addInitScript(watchDrawings);
  await dashboard.open();
  for (const chart of CHARTS) await expect(dashboard.serverSvg(chart)).toBeHidden();
  const handOvers = await page.evaluate(() => globalThis.handOvers);
  expect(handOvers.map(({ chart }) => chart).sort()).toEqual([...CHARTS, "cores"].sort());
  expect(handOvers.filter(({ painted }) => !painted)).toEqual([]);
});

test.describe("on a dense screen", () => {
  test.use({ deviceScaleFactor: 2 });

  test("a canvas has a pixel for each of the screen's, whatever its size", async ({ dashboard, page }) => {
    await dashboard.open();
    for (const width of [1280, 800, 390]) {
      await page.setViewportSize({ width, height: 800 });
      await expectSharp(dashboard);
    }
  });

  test("it is sharp on a screen of another density, too", async ({ dashboard, page }) => {
    await dashboard.open();
    await expectSharp(dashboard);
    const devtools = await page.context().newCDPSession(page);
    const screen = { width: 1280, height: 720, mobile: false };
    for (const deviceScaleFactor of [1, 1.5]) {
      await devtools.send("Emulation.setDeviceMetricsOverride", { ...screen, deviceScaleFactor });
      await expectSharp(dashboard);
    }
  });
});

async function expectSharp(dashboard: Dashboard): Promise<void> {
  for (const chart of CHARTS) await expect.poll(() => dashboard.canvas(chart).evaluate(stretch), chart).toBeLessThan(1);
}

/** By how many CSS pixels a canvas is stretched or squeezed. It runs in the page. */
function stretch(canvas: HTMLElement | SVGElement): number {
  const { width, height } = canvas as HTMLCanvasElement;
  const box = canvas.getBoundingClientRect();
  return Math.max(Math.abs(width / devicePixelRatio - box.width), Math.abs(height / devicePixelRatio - box.height));
}

/** Keeps the page as the server made it until the returned function is called; then no tick moves it, nor does it miss one. */
async function holdLibrary(page: Page): Promise<() => void> {
  await page.clock.setFixedTime(Date.now());
  let takeOver = () => {};
  const taken = new Promise<void>((resolve) => (takeOver = resolve));
  await page.route("**/*.wasm", async (route) => {
    await taken;
    await route.continue();
  });
  await page.route("**/api/stream?*", () => {});
  return takeOver;
}

/** Where everything stands but the drawings' own shapes. It runs in the page. */
function boxes() {
  const all = [...document.querySelectorAll("body *:not(script, noscript, svg *, .still, .still *)")];
  const shown = all.filter((element) => element.getClientRects().length > 0);
  return shown.map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const name = `${element.closest("[id]")?.id ?? ""} ${element.localName}`;
    return { name, box: [x + scrollX, y + scrollY, width, height] };
  });
}

declare global {
  var handOvers: { chart: string; painted: boolean }[];
}

/** Notes whether each canvas held a picture when its drawing was marked as drawn. It runs in the page. */
function watchDrawings() {
  globalThis.handOvers = [];
  const painted = (canvas: HTMLCanvasElement) => {
    if (canvas.width === 0 || canvas.height === 0) return false;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d")!;
    copy.drawImage(canvas, 0, 0);
    return copy.getImageData(0, 0, canvas.width, canvas.height).data.some((part) => part > 0);
  };
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const drawing = target as Element;
      if (!drawing.matches(".drawing")) continue;
      handOvers.push({ chart: drawing.matches(".strip") ? "cores" : drawing.closest(".panel")!.id, painted: painted(drawing.querySelector("canvas")!) });
    }
  }).observe(document, { subtree: true, attributeFilter: ["class"] });
}
