import { type Dashboard, sampledTicks, WINDOWS, type WindowName } from "../fixtures/dashboard";
import { expect, test } from "../fixtures/test";

test("selected window is in the URL and survives a reload", async ({ dashboard, page }) => {
  await dashboard.open();
  await expectWindow(dashboard, "5 min");
  await expect(dashboard.indicator).toHaveText("live");
  for (const window of ["15 min", "1 min", "5 min"] as const) {
    await dashboard.windowLink(window).click();
    await expect(page).toHaveURL(new RegExp(`\\?window=${WINDOWS[window]}$`));
    await expectWindow(dashboard, window);
    await page.reload();
    await expectWindow(dashboard, window);
    await expect(dashboard.indicator).toHaveText("live");
    await expectWindow(dashboard, window);
  }
});

test("window link opens in a new tab and leaves the current one unchanged", async ({ dashboard, context, page }) => {
  await dashboard.open(60);
  await expect(dashboard.indicator).toHaveText("live");
  const other = context.waitForEvent("page");
  await dashboard.windowLink("5 min").click({ modifiers: ["ControlOrMeta"] });
  await expect(await other).toHaveURL(/\?window=300$/);
  await expect(page).toHaveURL(/\?window=60$/);
  await expectWindow(dashboard, "1 min");
});

test("longer window loads the server's history", async ({ dashboard, record }) => {
  // The server needs more history than the one minute that the page starts with.
  test.setTimeout(120_000);
  const recorder = await record();
  await recorder.at(recorder.ticks[0]! + 75_000);
  await dashboard.open(60);
  await expect(dashboard.indicator).toHaveText("live");
  for (const window of ["1 min", "5 min", "15 min", "1 min"] as const) {
    await dashboard.windowLink(window).click();
    await expect(async () => {
      const reading = await dashboard.read();
      const oldest = reading.newest - (WINDOWS[window] - 1) * 1000;
      expect(sampledTicks(reading)).toEqual(recorder.ticks.filter((t) => oldest <= t && t <= reading.newest));
    }, window).toPass({ timeout: 10_000 });
  }
});

async function expectWindow(dashboard: Dashboard, chosen: WindowName): Promise<void> {
  for (const window of Object.keys(WINDOWS) as WindowName[]) {
    const current = expect(dashboard.windowLink(window));
    await (window === chosen ? current : current.not).toHaveAttribute("aria-current", "true");
  }
  expect((await dashboard.read()).windowSeconds).toBe(WINDOWS[chosen]);
}
