import { CHARTS } from "../fixtures/dashboard";
import { expect, test } from "../fixtures/test";
import { mismatches } from "../fixtures/values";

test.use({ javaScriptEnabled: false });

test.beforeEach(({ browserLog }) => {
  // The browser preloads scripts that it then doesn't run, and logs that.
  browserLog.allow(/\.js csp$|preloaded using link preload but not used/);
});

test("page without JavaScript has all charts and values of its second", async ({ dashboard, page, record }) => {
  const recorder = await record();
  await dashboard.open();
  for (const chart of CHARTS) await expect(dashboard.serverSvg(chart)).toBeVisible();
  const { newest, values } = await dashboard.read();
  expect(mismatches(values, await recorder.at(newest))).toEqual([]);
  // Without JavaScript there is no connection to report on.
  await expect(dashboard.indicator).toBeHidden();
  await expect(page.getByText("connecting")).toBeHidden();
});

test("page without JavaScript reloads every five seconds and says so", async ({ dashboard, page }) => {
  await dashboard.open(60);
  const note = page.locator(".coverage noscript p");
  await expect(note).toBeVisible();
  await expect(note).toHaveText("Without JavaScript, this page reloads every 5 seconds.");
  const { newest } = await dashboard.read();
  for (const age of [5000, 10_000]) {
    await page.waitForEvent("load");
    // The reload shows the server's ticks up to then.
    expect((await dashboard.read()).newest).toBeGreaterThanOrEqual(newest + age - 2000);
  }
  await expect(page).toHaveURL(/\?window=60$/);
});

test("window link without JavaScript loads the other window", async ({ dashboard, page }) => {
  await dashboard.open();
  await expect(dashboard.windowLink("5 min")).toHaveAttribute("aria-current", "true");
  await dashboard.windowLink("1 min").click();
  await expect(page).toHaveURL(/\?window=60$/);
  await expect(dashboard.windowLink("1 min")).toHaveAttribute("aria-current", "true");
  await expect(dashboard.windowLink("5 min")).toHaveAttribute("aria-current", "false");
  expect((await dashboard.read()).windowSeconds).toBe(60);
});
