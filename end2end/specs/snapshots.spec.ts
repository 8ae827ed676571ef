import type { Page } from "@playwright/test";
import type { BrowserLog } from "../fixtures/browser-log";
import { type Dashboard, isoTime } from "../fixtures/dashboard";
import { NOON, type SyntheticHost } from "../fixtures/synthetic-host";
import { expect, test } from "../fixtures/test";

// After an intended change: `npx playwright test snapshots --update-snapshots`, then review the changed images.

const HOSTS = ["typical", "short-history", "large", "unhealthy"] as const;
const SIZES = [
  [390, 1200],
  [768, 1000],
  [1440, 1000],
] as const;

/** Disturbances of the stream, each with its cause and the notice that it must show. */
const DISTURBANCES: Record<string, { provoke: (context: Context) => Promise<void>; notice: RegExp }> = {
  refused: {
    provoke: async ({ page }) => {
      const problem = {
        status: 429,
        title: "Too many streams from one address",
        detail: "There are 16 open streams from your address, which is the limit. Close one, or retry later.",
      };
      const headers = { "content-type": "application/problem+json", "retry-after": "20" };
      await page.route("**/api/stream?*", (route) =>
        route.fulfill({ status: 429, headers, body: JSON.stringify(problem) }),
      );
      await page.reload();
    },
    notice: /There are 16 open streams .* Last sample at 12:00:00 UTC\. Retrying in 20 s/,
  },
  overloaded: {
    // Long enough to be noticed, and too short for a reconnect.
    provoke: async ({ page, now }) => page.clock.setFixedTime(now + 4_000),
    notice: /No new samples for 4 s:/,
  },
  unreachable: {
    provoke: async ({ dashboard, page, server, now }) => {
      await server.stop();
      // A stream that resumes within three seconds changes nothing.
      await page.clock.setFixedTime(now + 3_000);
      await expect(dashboard.indicator).toHaveText("reconnecting");
      await page.clock.setFixedTime(now + 3_720_000);
    },
    notice: /unreachable for 1 h 2 min\. Last sample at 12:00:00 UTC/,
  },
};

for (const host of HOSTS) testSnapshot(host, host);

for (const [state, { provoke, notice }] of Object.entries(DISTURBANCES))
  testSnapshot(state, "small", async (context) => {
    context.browserLog.allow(/429|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING/);
    await provoke(context);
    await expect(context.dashboard.notice).toContainText(notice, { timeout: 20_000 });
    await expect(context.page.locator(".verdict")).toHaveText("Unknown. Last known: Healthy.");
  });

/** Fixtures of a snapshot; the page's clock stands at `now`. */
interface Context {
  browserLog: BrowserLog;
  dashboard: Dashboard;
  page: Page;
  server: SyntheticHost;
  now: number;
}

/** Compares a synthetic host's live page with its snapshots, after `prepare` has changed its state. */
function testSnapshot(name: string, host: string, prepare?: (context: Context) => Promise<void>): void {
  for (const [width, height] of SIZES) {
    for (const colorScheme of ["light", "dark"] as const) {
      test.describe(`${name}, ${width} pixels wide, ${colorScheme}`, () => {
        test.use({ viewport: { width, height }, colorScheme });

        test("page matches its snapshot", async ({ browserLog, dashboard, page, syntheticHost }) => {
          const server = await syntheticHost(host);
          // A fixed clock keeps the page from going stale, and a fixed random value fixes the retry delay.
          const now = Date.now();
          await page.clock.setFixedTime(now);
          await page.addInitScript(() => (Math.random = () => 0.5));
          await dashboard.open(300, server.url);
          await expect(page.locator("#cpu .drawn")).toHaveCount(2);
          server.next();
          await expect(dashboard.newest).toHaveAttribute("datetime", isoTime(NOON));
          await expect(dashboard.indicator).toHaveText("live");
          await prepare?.({ browserLog, dashboard, page, server, now });
          await expect(page).toHaveScreenshot(`${name}-${width}-${colorScheme}.png`, { maxDiffPixelRatio: 0.002 });
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
          const clipped = await page
            .locator(".devices")
            .evaluateAll((tables) =>
              tables.filter((table) => table.scrollWidth > table.clientWidth).map(({ id }) => id),
            );
          expect(clipped).toEqual([]);
        });
      });
    }
  }
}
