import { CHARTS } from "../fixtures/dashboard";
import { untrue } from "../fixtures/figures";
import { expect, test } from "../fixtures/test";

test.use({ javaScriptEnabled: false });

test.beforeEach(({ complaints }) => {
  // The browser fetches ahead what it then has no use for, and says so.
  complaints.expect(/\.js csp$|preloaded using link preload but not used/);
});

test("the page is complete for the moment that it shows", async ({ dashboard, page, record }) => {
  const control = await record();
  await dashboard.open();
  for (const chart of CHARTS) await expect(dashboard.still(chart)).toBeVisible();
  const { newest, figures } = await dashboard.read();
  expect(untrue(figures, await control.at(newest))).toEqual([]);
  // Nothing connects here, and saying so would be wrong.
  await expect(dashboard.indicator).toBeHidden();
  await expect(page.getByText("connecting")).toBeHidden();
});

test("it draws itself anew, and says that it does", async ({ dashboard, page }) => {
  await dashboard.open(60);
  const note = page.locator(".coverage noscript p");
  await expect(note).toBeVisible();
  await expect(note).toHaveText("Without JavaScript, this page reloads every 5 seconds.");
  const { newest } = await dashboard.read();
  for (const age of [5000, 10_000]) {
    await page.waitForEvent("load");
    // Loaded and drawn from what the server knew by then.
    expect((await dashboard.read()).newest).toBeGreaterThanOrEqual(newest + age - 2000);
  }
  await expect(page).toHaveURL(/\?window=60$/);
});

test("another window is a link away", async ({ dashboard, page }) => {
  await dashboard.open();
  await expect(dashboard.choice("5 min")).toHaveAttribute("aria-current", "true");
  await dashboard.choice("1 min").click();
  await expect(page).toHaveURL(/\?window=60$/);
  await expect(dashboard.choice("1 min")).toHaveAttribute("aria-current", "true");
  await expect(dashboard.choice("5 min")).toHaveAttribute("aria-current", "false");
  expect((await dashboard.read()).span).toBe(60);
});
