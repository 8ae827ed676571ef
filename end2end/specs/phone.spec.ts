import type { Page } from "@playwright/test";
import { CHARTS } from "../fixtures/dashboard";
import { expect, test } from "../fixtures/test";

for (const colorScheme of ["light", "dark"] as const)
  for (const width of [390, 320])
    test.describe(`${width} pixels wide, ${colorScheme}`, () => {
      test.use({ viewport: { width, height: 844 }, deviceScaleFactor: 3, isMobile: true, hasTouch: true, colorScheme });

      test("dashboard and error page need no horizontal scrolling", async ({ dashboard, page, browserLog }) => {
        await dashboard.open();
        await expect(dashboard.indicator).toHaveText("live");
        for (const chart of CHARTS) await expect(dashboard.canvas(chart)).toBeVisible();
        expect(await overflow(page, width)).toEqual([]);
        await dashboard.windowLink("15 min").tap();
        await expect(dashboard.windowLink("15 min")).toHaveAttribute("aria-current", "true");
        expect(await overflow(page, width)).toEqual([]);

        browserLog.allow(/status of 400/);
        await page.goto("/?window=a-window-whose-name-is-longer-than-any-line-of-a-phone-could-ever-be-and-goes-on");
        await expect(page.getByRole("heading")).toHaveText("Unknown window");
        expect(await overflow(page, width)).toEqual([]);
      });
    });

/** Elements that extend beyond the screen. */
async function overflow(page: Page, width: number): Promise<string[]> {
  return page.evaluate((width) => {
    const beyond = [...document.querySelectorAll("html, body *:not(svg *)")].filter((element) => {
      const { left, right } = element.getBoundingClientRect();
      return left < 0 || right > width || (element.localName === "html" && element.scrollWidth > width);
    });
    return beyond.map((element) => element.outerHTML.slice(0, 100));
  }, width);
}
