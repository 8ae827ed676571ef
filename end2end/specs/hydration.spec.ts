import type { Page } from "@playwright/test";
import { CHARTS, type Dashboard } from "../fixtures/dashboard";
import { pixelDifference } from "../fixtures/pixels";
import { expect, test } from "../fixtures/test";

for (const seconds of [60, 300]) {
  test(`hydration of a ${seconds} s window shifts no layout and changes no chart`, async ({
    dashboard,
    page,
    syntheticHost,
  }) => {
    const { url } = await syntheticHost("typical");
    const hydrate = await delayHydration(page);
    await dashboard.open(seconds, url);
    const reading = await dashboard.read();
    const layout = await page.evaluate(boxes);
    const screenshots = await Promise.all(CHARTS.map((chart) => dashboard.drawing(chart).screenshot()));
    for (const chart of CHARTS) await expect(dashboard.serverSvg(chart)).toBeVisible();

    hydrate();
    for (const chart of CHARTS) await expect(dashboard.serverSvg(chart)).toBeHidden();
    expect(await dashboard.read()).toEqual(reading);
    const after = await page.evaluate(boxes);
    expect(after.map(({ name }) => name)).toEqual(layout.map(({ name }) => name));
    const moved = after.filter(({ box }, i) => box.some((side, n) => Math.abs(side - layout[i]!.box[n]!) > 1));
    expect(moved).toEqual([]);
    for (const [i, chart] of CHARTS.entries()) {
      const screenshot = await dashboard.drawing(chart).screenshot();
      expect(await pixelDifference(page, screenshots[i]!, screenshot), `${chart} lost`).toBeLessThan(0.01);
      expect(await pixelDifference(page, screenshot, screenshots[i]!), `${chart} added`).toBeLessThan(0.01);
    }
  });
}

test("server's SVG is hidden only once the canvas is drawn", async ({ dashboard, page }) => {
  await page.addInitScript(recordReplacements);
  await dashboard.open();
  for (const chart of CHARTS) await expect(dashboard.serverSvg(chart)).toBeHidden();
  const replacements = await page.evaluate(() => globalThis.replacements);
  expect(replacements.map(({ chart }) => chart).sort()).toEqual([...CHARTS, "cores"].sort());
  expect(replacements.filter(({ painted }) => !painted)).toEqual([]);
});

test.describe("on a high-density screen", () => {
  test.use({ deviceScaleFactor: 2 });

  test("canvas has one pixel per device pixel at every size", async ({ dashboard, page }) => {
    await dashboard.open();
    for (const width of [1280, 800, 390]) {
      await page.setViewportSize({ width, height: 800 });
      await expectSharp(dashboard);
    }
  });

  test("canvas is redrawn sharp when the pixel density changes", async ({ dashboard, page }) => {
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
  for (const chart of CHARTS)
    await expect.poll(() => dashboard.canvas(chart).evaluate(bitmapMismatch), chart).toBeLessThan(1);
}

/** CSS pixels by which the canvas's bitmap differs from its box. It runs in the page. */
function bitmapMismatch(canvas: HTMLElement | SVGElement): number {
  const { width, height } = canvas as HTMLCanvasElement;
  const box = canvas.getBoundingClientRect();
  return Math.max(Math.abs(width / devicePixelRatio - box.width), Math.abs(height / devicePixelRatio - box.height));
}

/** Holds the wasm module back until the returned function is called. No ticks arrive, and the clock stands still. */
async function delayHydration(page: Page): Promise<() => void> {
  await page.clock.setFixedTime(Date.now());
  let hydrate = () => {};
  const released = new Promise<void>((resolve) => (hydrate = resolve));
  await page.route("**/*.wasm", async (route) => {
    await released;
    await route.continue();
  });
  await page.route("**/api/stream?*", () => {});
  return hydrate;
}

/** Bounding boxes of all visible elements except SVG shapes. It runs in the page. */
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
  var replacements: { chart: string; painted: boolean }[];
}

/** Records whether each canvas was painted when its drawing was marked as drawn. It runs in the page. */
function recordReplacements() {
  globalThis.replacements = [];
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
      replacements.push({
        chart: drawing.matches(".strip") ? "cores" : drawing.closest(".panel")!.id,
        painted: painted(drawing.querySelector("canvas")!),
      });
    }
  }).observe(document, { subtree: true, attributeFilter: ["class"] });
}
