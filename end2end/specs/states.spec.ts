import type { Page } from "@playwright/test";
import type { Complaints } from "../fixtures/console";
import { type Dashboard, stamp } from "../fixtures/dashboard";
import { NOON, type Recorded } from "../fixtures/recorded";
import { expect, test } from "../fixtures/test";

// After a change that is meant: `npx playwright test states --update-snapshots`, and look at what has changed.

/** Hosts that the page must look right for: one like most, one that has just started, one with 128 cores, 40 interfaces
 * and no sensors, and one with something wrong. */
const HOSTS = ["usual", "young", "large", "unwell"] as const;
const SIZES = [
  [390, 1200],
  [768, 1000],
  [1440, 1000],
] as const;

/** What isn't well with the stream: how it comes to be, and what is said of it. */
const LINKS: Record<string, { bring: (at: At) => Promise<void>; notice: RegExp }> = {
  refused: {
    bring: async ({ page }) => {
      const why = { status: 429, title: "Too many streams", detail: "There are 16 open streams from your address already; close one." };
      const headers = { "content-type": "application/problem+json", "retry-after": "20" };
      await page.route("**/api/stream?*", (route) => route.fulfill({ status: 429, headers, body: JSON.stringify(why) }));
      await page.reload();
    },
    notice: /There are 16 open streams .* Last sample at 12:00:00 UTC\. Retrying in 20 s/,
  },
  stuck: {
    // Long enough to be missed, and not so long that the page would try another stream.
    bring: async ({ page, now }) => page.clock.setFixedTime(now + 4_000),
    notice: /has not sampled its host for 4 s/,
  },
  gone: {
    bring: async ({ dashboard, page, server, now }) => {
      await server.stop();
      await expect(dashboard.indicator).toHaveText("reconnecting");
      await page.clock.setFixedTime(now + 3_720_000);
    },
    notice: /unreachable for 1 h 2 min\. Last sample at 12:00:00 UTC/,
  },
};

for (const host of HOSTS) looksAsItDid(host, host);

for (const [state, { bring, notice }] of Object.entries(LINKS))
  looksAsItDid(state, "small", async (at) => {
    at.complaints.expect(/429|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING/);
    await bring(at);
    await expect(at.dashboard.notice).toContainText(notice, { timeout: 20_000 });
    await expect(at.page.locator(".verdict")).toHaveText("Unknown. Last known: Healthy.");
  });

/** What a state is brought about with; for the page, it is and stays `now`. */
interface At {
  complaints: Complaints;
  dashboard: Dashboard;
  page: Page;
  server: Recorded;
  now: number;
}

/** Tests the looks of a host's page once it is live, and `bring` has made of it what it makes. */
function looksAsItDid(name: string, host: string, bring?: (at: At) => Promise<void>): void {
  for (const [width, height] of SIZES) {
    for (const colorScheme of ["light", "dark"] as const) {
      test.describe(`${name}, ${width} pixels wide, ${colorScheme}`, () => {
        test.use({ viewport: { width, height }, colorScheme });

        test("looks as it did", async ({ complaints, dashboard, page, recorded }) => {
          const server = await recorded(host);
          // No time passes that could make it stale, and no chance decides when the next attempt is due.
          const now = Date.now();
          await page.clock.setFixedTime(now);
          await page.addInitScript(() => (Math.random = () => 0.5));
          await dashboard.open(300, server.url);
          await expect(page.locator("#cpu .drawn")).toHaveCount(2);
          server.next();
          await expect(dashboard.newest).toHaveAttribute("datetime", stamp(NOON));
          await expect(dashboard.indicator).toHaveText("live");
          await bring?.({ complaints, dashboard, page, server, now });
          await expect(page).toHaveScreenshot(`${name}-${width}-${colorScheme}.png`, { maxDiffPixelRatio: 0.002 });
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
          const cut = await page.locator(".devices").evaluateAll((tables) => tables.filter((table) => table.scrollWidth > table.clientWidth).map(({ id }) => id));
          expect(cut).toEqual([]);
        });
      });
    }
  }
}
