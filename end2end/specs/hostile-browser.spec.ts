import { expect, test } from "../fixtures/test";

test("page without its library says so and reloads every five seconds", async ({ dashboard, page, browserLog }) => {
  // Reloading ends the request that found the server well.
  browserLog.allow(/ERR_FAILED|ERR_ABORTED/);
  await page.route("**/*.wasm", (route) => route.abort());
  await dashboard.open(60);
  await expect(dashboard.notice).toHaveText(/reloads every 5 seconds/);
  const { newest } = await dashboard.read();
  await page.waitForEvent("load");
  expect((await dashboard.read()).newest).toBeGreaterThanOrEqual(newest + 3000);
  await expect(page).toHaveURL(/\?window=60$/);
});

test("page that an extension changed while it loaded is restored and goes live", async ({
  dashboard,
  page,
  browserLog,
}) => {
  // The first hydration traps.
  browserLog.allow(/unreachable/);
  await page.addInitScript(() => {
    const link = new MutationObserver(() => {
      const fact = document.querySelector(".facts li:nth-child(2)");
      if (!fact) return;
      link.disconnect();
      fact.innerHTML = "<a href='tel:1'>6.1</a>";
      document.body.prepend(document.createElement("dialog"));
    });
    link.observe(document, { childList: true, subtree: true });
  });
  await dashboard.open(60);
  await expect(dashboard.indicator).toHaveText("live");
  await expect(page.locator("dialog, a[href^=tel]")).toHaveCount(0);
  const { newest } = await dashboard.read();
  await expect.poll(async () => (await dashboard.read()).newest).toBeGreaterThan(newest);
});

test("space bar pauses without scrolling, and types a space in a field", async ({ dashboard, page }) => {
  await dashboard.open(60);
  await expect(dashboard.indicator).toHaveText("live");
  await page.keyboard.press("Space");
  await expect(dashboard.frozenView).toBeVisible();
  expect(await page.evaluate(() => scrollY)).toBe(0);
  await page.keyboard.press("Space");
  await expect(dashboard.frozenView).toBeHidden();
  const { filter } = dashboard.table("processes");
  await filter.pressSequentially("a b");
  await expect(filter).toHaveValue("a b");
  await expect(dashboard.frozenView).toBeHidden();
});
