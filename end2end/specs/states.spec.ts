import { stamp } from "../fixtures/dashboard";
import { NOON } from "../fixtures/recorded";
import { expect, test } from "../fixtures/test";

// After a change that is meant: `npx playwright test states --update-snapshots`, and look at what has changed.

/** Hosts that the page must look right for: one like most, one that has just started, and one with 128 cores, 40 interfaces
 * and no sensors. */
const HOSTS = ["usual", "young", "large"] as const;
const SIZES = [
  [390, 1200],
  [768, 1000],
  [1440, 1000],
] as const;

for (const host of HOSTS) {
  for (const [width, height] of SIZES) {
    for (const colorScheme of ["light", "dark"] as const) {
      test.describe(`${host}, ${width} pixels wide, ${colorScheme}`, () => {
        test.use({ viewport: { width, height }, colorScheme });

        test("looks as it did", async ({ dashboard, page, recorded }) => {
          const server = await recorded(host);
          // For this page, no time passes that could make it stale.
          await page.clock.setFixedTime(new Date());
          await dashboard.open(300, server.url);
          await expect(page.locator("#cpu .drawn")).toHaveCount(2);
          server.next();
          await expect(dashboard.newest).toHaveAttribute("datetime", stamp(NOON));
          await expect(dashboard.indicator).toHaveText("live");
          await expect(page).toHaveScreenshot(`${host}-${width}-${colorScheme}.png`, {
            maxDiffPixelRatio: 0.002,
          });
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        });
      });
    }
  }
}
