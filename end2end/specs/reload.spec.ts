import { hostname } from "node:os";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/test";

// The browser logs every request that a switch cuts.
test.beforeEach(({ browserLog }) => browserLog.allow(/ERR_|net::/));

/** The documents that the page has loaded since the call. */
function loads(page: Page): string[] {
  const urls: string[] = [];
  page.on("load", () => urls.push(page.url()));
  return urls;
}

for (const path of ["/?window=60", "/?kiosk&window=60"]) {
  test(`page ${path} that meets another host reloads itself once and says so`, async ({
    page,
    dashboard,
    forwarder,
    server,
    otherHost,
  }) => {
    const heading = page.getByRole("heading", { level: 1 });
    await page.goto(forwarder.url + path);
    await expect(dashboard.indicator).toHaveText("live");
    await expect(heading).toHaveText(hostname());
    const reloads = loads(page);
    forwarder.switchTo(otherHost.url);
    await expect(dashboard.notice).toContainText("Reloaded: another host answers here now.");
    await expect(heading).toHaveText("other-host");
    await expect(dashboard.indicator).toHaveText("live");

    // Behind a balancer over two hosts, it would reload for ever.
    const { newest } = await dashboard.read();
    forwarder.switchTo(server.url);
    const resumed = page.waitForResponse(/\/api\/stream/);
    await resumed;
    await expect.poll(() => Date.now(), "ticks of the first host arrive").toBeGreaterThan(newest + 5000);
    expect(reloads).toEqual([forwarder.url + path]);
    await expect(heading).toHaveText("other-host");
    expect((await dashboard.read()).newest, "they are not drawn").toBeLessThan(newest + 5000);
  });

  test(`page ${path} that meets another version of its code reloads itself once and says so`, async ({
    page,
    dashboard,
    forwarder,
  }) => {
    await page.goto(forwarder.url + path);
    await expect(dashboard.indicator).toHaveText("live");
    const reloads = loads(page);
    forwarder.showVersion("0123456789abcdef");
    await expect(dashboard.notice).toContainText("Reloaded: a new version.");
    await expect(dashboard.indicator).toHaveText("live");
    const { newest } = await dashboard.read();
    await expect.poll(async () => (await dashboard.read()).newest).toBeGreaterThan(newest + 2000);
    expect(reloads).toEqual([forwarder.url + path]);
  });
}
