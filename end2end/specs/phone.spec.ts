import type { Page } from "@playwright/test";
import { CHARTS } from "../fixtures/dashboard";
import { expect, test } from "../fixtures/test";

for (const colorScheme of ["light", "dark"] as const)
  // 195 pixels: a phone of 390 at 200 %.
  for (const width of [390, 320, 195])
    test.describe(`${width} pixels wide, ${colorScheme}`, () => {
      test.use({ viewport: { width, height: 844 }, deviceScaleFactor: 3, isMobile: true, hasTouch: true, colorScheme });

      test("dashboard and error page need no horizontal scrolling", async ({ dashboard, page, browserLog }) => {
        await dashboard.open();
        await expect(dashboard.indicator).toHaveText("live");
        for (const chart of CHARTS) await expect(dashboard.canvas(chart)).toBeVisible();
        expect(await overflow(page, width)).toEqual([]);
        expect(await cutTexts(page)).toEqual([]);
        await dashboard.windowLink("15 min").tap();
        await expect(dashboard.windowLink("15 min")).toHaveAttribute("aria-current", "true");
        await page.locator("#pause").tap();
        await expect(page.locator(".held")).toBeVisible();
        expect(await overflow(page, width)).toEqual([]);
        expect(await cutTexts(page)).toEqual([]);

        browserLog.allow(/status of 400/);
        await page.goto("/?window=a-window-whose-name-is-longer-than-any-line-of-a-phone-could-ever-be-and-goes-on");
        await expect(page.getByRole("heading")).toHaveText("Unknown window");
        expect(await overflow(page, width)).toEqual([]);
      });
    });

for (const width of [390, 768, 1440])
  test(`longest host name is shown whole at ${width} pixels`, async ({ dashboard, page, syntheticHost }) => {
    const { url } = await syntheticHost("long-name");
    const name = "ip-10-0-123-234.eu-central-1.compute.internal.production-k8s-wrk";
    await page.setViewportSize({ width, height: 900 });
    await dashboard.open(60, url);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    expect(await overflow(page, width)).toEqual([]);
  });

for (const width of [195, 390, 1440])
  test(`time axes in a column agree at ${width} pixels`, async ({ dashboard, page, syntheticHost }) => {
    const { url } = await syntheticHost("typical");
    await page.setViewportSize({ width, height: 900 });
    await dashboard.open(60, url);
    // Distances of the drawing's ends from those of its panel.
    const insets = await page.locator(".panel:not([hidden]) .drawing").evaluateAll((drawings) =>
      drawings.map((drawing) => {
        const [inner, outer] = [drawing.getBoundingClientRect(), drawing.closest(".panel")!.getBoundingClientRect()];
        return [inner.left - outer.left, outer.right - inner.right].map(Math.round).join(" ");
      }),
    );
    expect(new Set(insets).size, insets.join()).toBe(1);
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

/** Texts that are wider than their element. */
async function cutTexts(page: Page): Promise<string[]> {
  const places = ".figure, .figure > span, .details dd, .legend b, .axis, .times, .choices a, .link, .devices";
  return page.locator(places).evaluateAll((elements) => {
    const isCut = (of: Element) => of.getClientRects().length > 0 && of.scrollWidth > of.clientWidth + 1;
    // Inline boxes have no width of their own.
    const cut = elements.filter((of) => getComputedStyle(of).display !== "inline" && isCut(of));
    return cut.map((of) => `${of.className} ${of.textContent}`);
  });
}
