import type { Page } from "@playwright/test";
import { type Dashboard, stamp } from "../fixtures/dashboard";
import { NOON, type Recorded } from "../fixtures/recorded";
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

/** What isn't well with the stream, and how it comes to be. */
const LINKS = {
  refused: async ({ page }) => {
    const why = { status: 429, title: "Too many streams", detail: "There are 16 open streams from your address already; close one." };
    await page.route("**/api/stream?*", (route) =>
      route.fulfill({ status: 429, contentType: "application/problem+json", headers: { "retry-after": "20" }, body: JSON.stringify(why) }),
    );
    await page.reload();
  },
  // Long enough to be missed, and not so long that the page would try another stream.
  stuck: async ({ page, now }) => page.clock.setFixedTime(now + 4_000),
  gone: async ({ dashboard, page, server, now }) => {
    await server.stop();
    await expect(dashboard.indicator).toHaveText("reconnecting");
    await page.clock.setFixedTime(now + 3_720_000);
  },
} satisfies Record<string, (at: { dashboard: Dashboard; page: Page; server: Recorded; now: number }) => Promise<void>>;

const NOTICES: Record<keyof typeof LINKS, RegExp> = {
  refused: /There are 16 open streams .* What you see is of 12:00:00 UTC\. Trying again in 20 s/,
  stuck: /has not sampled its host for 4 s/,
  gone: /out of reach for 1 h 2 min\. What you see is of 12:00:00 UTC/,
};

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

for (const [state, bring] of Object.entries(LINKS)) {
  for (const [width, height] of SIZES) {
    for (const colorScheme of ["light", "dark"] as const) {
      test.describe(`${state}, ${width} pixels wide, ${colorScheme}`, () => {
        test.use({ viewport: { width, height }, colorScheme });

        test("looks as it did", async ({ complaints, dashboard, page, recorded }) => {
          complaints.expect(/429|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING/);
          const server = await recorded("small");
          const now = Date.now();
          await page.clock.setFixedTime(now);
          // It decides when the next attempt is due.
          await page.addInitScript(() => (Math.random = () => 0.5));
          await dashboard.open(300, server.url);
          await expect(page.locator("#cpu .drawn")).toHaveCount(2);
          server.next();
          await expect(dashboard.indicator).toHaveText("live");
          await bring({ dashboard, page, server, now });
          await expect(dashboard.notice).toContainText(NOTICES[state as keyof typeof LINKS], { timeout: 20_000 });
          await expect(page.locator(".verdict")).toHaveText("Not known now. It was: All is well.");
          await expect(page).toHaveScreenshot(`${state}-${width}-${colorScheme}.png`, { maxDiffPixelRatio: 0.002 });
        });
      });
    }
  }
}
