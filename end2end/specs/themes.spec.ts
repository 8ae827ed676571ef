import { CHARTS, type ChartId } from "../fixtures/dashboard";
import { colourShares, lineColours, resolvedColour } from "../fixtures/pixels";
import { expect, test } from "../fixtures/test";

/** A line that every drawing of a chart has, and that no other line can cover. */
const LINES: Record<ChartId, Parameters<typeof resolvedColour>[1]> = {
  cpu: "teal",
  memory: "green",
  load: "blue",
  pressure: "blue",
  connections: "teal",
  network: "teal",
  disk: "grey",
};

test("charts take the colours of the reader's theme, also when it changes", async ({ dashboard, page }) => {
  // No tick may be what redraws them.
  await page.route("**/api/stream?*", () => {});
  const seen = new Set<string>();
  for (const colorScheme of ["light", "dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    if (seen.size === 0) await dashboard.open();
    for (const chart of CHARTS) {
      const canvas = dashboard.canvas(chart);
      await expect.poll(async () => lineColours(await colourShares(canvas)), `${chart}, ${colorScheme}`).toContain(LINES[chart]);
      seen.add(await resolvedColour(canvas, LINES[chart]));
      await expect(dashboard.drawing(chart), "lines of the grid").toHaveCSS("background-image", /^linear-gradient/);
    }
  }
  expect(seen.size, "both themes have colours of their own").toBe(2 * new Set(Object.values(LINES)).size);
});

test("paper is light", async ({ dashboard, page, browserLog }) => {
  browserLog.allow(/ERR_FAILED/);
  // No tick may be what redraws it, and no answer to the page's question where the ticks are.
  await page.route("**/api/stream?*", () => {});
  await page.route("**/api/snapshot?*", (route) => route.abort());
  const asked = page.waitForEvent("requestfailed");
  // The reader's choice: a system's dark ends by itself where there is paper.
  await page.addInitScript(() => localStorage.setItem("theme", "dark"));
  await page.emulateMedia({ colorScheme: "light" });
  await dashboard.open();
  await expect.poll(async () => lineColours(await colourShares(dashboard.canvas("cpu")))).toContain("teal");
  const teal = () => resolvedColour(dashboard.canvas("cpu"), "teal");
  const dark = await teal();
  await asked;
  await page.emulateMedia({ media: "print" });
  await expect.poll(async () => lineColours(await colourShares(dashboard.canvas("cpu"))), { timeout: 5_000 }).toContain("teal");
  expect(await teal()).not.toBe(dark);
});

test("a theme can be chosen where nothing can be kept", async ({ dashboard, page }) => {
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
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  const theme = page.getByRole("button", { name: /^Theme/ });
  await theme.click();
  await theme.click();
  await expect(theme).toHaveAccessibleName("Theme: dark");
  await expect.poll(ground).not.toBe(light);
});

test("a reader who wants another theme than the system's has it, and has it the next time", async ({
  dashboard,
  page,
}) => {
  await page.emulateMedia({ colorScheme: "light" });
  await dashboard.open();
  await expect(dashboard.indicator).toHaveText("live");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const theme = page.getByRole("button", { name: /^Theme/ });
  const light = await ground();
  await expect(theme).toHaveAccessibleName("Theme: auto");
  await theme.click();
  await expect(theme).toHaveAccessibleName("Theme: light");
  await theme.click();
  await expect(theme).toHaveAccessibleName("Theme: dark");
  await expect.poll(ground).not.toBe(light);
  const dark = await ground();
  // Lines are drawn in the colours of the theme, which `ink` asks the stylesheet for.
  for (const chart of CHARTS)
    await expect.poll(async () => lineColours(await colourShares(dashboard.canvas(chart))), chart).toContain(LINES[chart]);

  await page.reload({ waitUntil: "commit" });
  await page.waitForFunction(() => document.body !== null);
  expect(await ground(), "before anything else of the page runs").toBe(dark);
  await expect(theme).toHaveAccessibleName("Theme: dark");
  await theme.click();
  await expect.poll(ground).toBe(light);
});
