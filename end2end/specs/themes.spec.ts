import type { Page } from "@playwright/test";
import { CHARTS, type ChartId } from "../fixtures/dashboard";
import { colourShares, lineColours, resolvedColour } from "../fixtures/pixels";
import { expect, test } from "../fixtures/test";

/** Colour of a line that every chart always has, and that no other line covers. */
const LINES: Record<ChartId, Parameters<typeof resolvedColour>[1]> = {
  cpu: "teal",
  memory: "green",
  load: "blue",
  pressure: "blue",
  connections: "teal",
  network: "teal",
  disk: "grey",
};

test("charts take the colours of the theme and follow its changes", async ({ dashboard, page }) => {
  // Without a stream, only the theme change can redraw the charts.
  await page.route("**/api/stream?*", () => {});
  const seen = new Set<string>();
  for (const colorScheme of ["light", "dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    if (seen.size === 0) await dashboard.open();
    for (const chart of CHARTS) {
      const canvas = dashboard.canvas(chart);
      await expect
        .poll(async () => lineColours(await colourShares(canvas)), `${chart}, ${colorScheme}`)
        .toContain(LINES[chart]);
      seen.add(await resolvedColour(canvas, LINES[chart]));
      await expect(dashboard.drawing(chart), "grid lines").toHaveCSS("background-image", /^linear-gradient/);
    }
  }
  expect(seen.size, "distinct colours of both themes").toBe(2 * new Set(Object.values(LINES)).size);
});

test("print uses the light theme although dark is chosen", async ({ dashboard, page, browserLog }) => {
  browserLog.allow(/ERR_FAILED/);
  // Without a stream or a snapshot, only the change of media can redraw the charts.
  await page.route("**/api/stream?*", () => {});
  await page.route("**/api/snapshot?*", (route) => route.abort());
  const snapshotRequest = page.waitForEvent("requestfailed");
  // Dark by choice: a system's dark scheme does not apply to print anyway.
  await page.addInitScript(() => localStorage.setItem("theme", "dark"));
  await page.emulateMedia({ colorScheme: "light" });
  await dashboard.open();
  await expect.poll(async () => lineColours(await colourShares(dashboard.canvas("cpu")))).toContain("teal");
  const teal = () => resolvedColour(dashboard.canvas("cpu"), "teal");
  const dark = await teal();
  await snapshotRequest;
  await page.emulateMedia({ media: "print" });
  await expect
    .poll(async () => lineColours(await colourShares(dashboard.canvas("cpu"))), { timeout: 5_000 })
    .toContain("teal");
  expect(await teal()).not.toBe(dark);
});

test("print has the host, the date and no controls", async ({ dashboard, page, syntheticHost }) => {
  const { url } = await syntheticHost("typical");
  await dashboard.open(60, url);
  const facts = page.locator(".facts");
  await expect(facts).not.toContainText("2050-01-01", { useInnerText: true });
  await page.emulateMedia({ media: "print" });
  await expect(facts).toContainText(/web-01[^]*2050-01-01 1[12]:\d\d:\d\d UTC/, { useInnerText: true });
  for (const control of await page.locator("button.tool, .choices, .devices input").all())
    await expect(control).toBeHidden();
});

test("colours are those of the theme in browsers without light-dark()", async ({ page }) => {
  await page.route("**/assets/*.css", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replaceAll("light-dark(", "unknown(") });
  });
  const seen = new Set<string>();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto("/");
    const { card, swatches } = await swatchColours(page);
    expect(new Set(swatches).size).toBe(swatches.length);
    seen.add(card);
  }
  expect([...seen], "grounds of panels").toEqual(["rgb(255, 255, 255)", "rgb(21, 26, 33)"]);
});

test("forced colours leave the series their own", async ({ page }) => {
  await page.emulateMedia({ forcedColors: "active", colorScheme: "dark" });
  await page.goto("/");
  const { swatches } = await swatchColours(page);
  expect(new Set(swatches).size).toBe(swatches.length);
});

test("theme can be changed without access to localStorage", async ({ dashboard, page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, "localStorage", {
      get: () => {
        throw new DOMException("denied", "SecurityError");
      },
    });
  });
  await page.emulateMedia({ colorScheme: "light" });
  await dashboard.open();
  await expect(dashboard.indicator).toHaveText("live");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  const theme = page.getByRole("button", { name: /^Theme/ });
  await theme.click();
  await theme.click();
  await expect(theme).toHaveAccessibleName("Theme: dark");
  await expect.poll(background).not.toBe(light);
});

test("chosen theme overrides the system's and survives a reload", async ({ dashboard, page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await dashboard.open();
  await expect(dashboard.indicator).toHaveText("live");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const theme = page.getByRole("button", { name: /^Theme/ });
  const light = await background();
  await expect(theme).toHaveAccessibleName("Theme: auto");
  await theme.click();
  await expect(theme).toHaveAccessibleName("Theme: light");
  await theme.click();
  await expect(theme).toHaveAccessibleName("Theme: dark");
  await expect.poll(background).not.toBe(light);
  const dark = await background();
  // `colourShares` reads the current theme's colours from the stylesheet.
  for (const chart of CHARTS)
    await expect
      .poll(async () => lineColours(await colourShares(dashboard.canvas(chart))), chart)
      .toContain(LINES[chart]);

  await page.reload({ waitUntil: "commit" });
  await page.waitForFunction(() => document.body !== null);
  expect(await background(), "before hydration").toBe(dark);
  await expect(theme).toHaveAccessibleName("Theme: dark");
  await theme.click();
  await expect.poll(background).toBe(light);
});

/** Colours of the panel of the CPU and of its legend. */
async function swatchColours(page: Page): Promise<{ card: string; swatches: string[] }> {
  const colours = (selector: string) =>
    page.locator(selector).evaluateAll((elements) => elements.map((of) => getComputedStyle(of).backgroundColor));
  return { card: (await colours("#cpu"))[0]!, swatches: await colours("#cpu .legend span") };
}
