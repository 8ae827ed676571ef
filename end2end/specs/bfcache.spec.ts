import { sampledTicks } from "../fixtures/dashboard";
import { openStreams } from "../fixtures/metrics";
import { expect, test } from "../fixtures/test";

test.use({
  // Playwright has it off.
  launchOptions: [
    async ({ launchOptions }, use) => use({ ...launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] }),
    { scope: "worker" },
  ],
});

test("a page that was left and is gone back to is still the same, and has every second", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  // What was loaded again would not have it.
  await page.evaluate(() => document.body.classList.add("kept"));
  await page.goto(`${server.url}/docs/operations.md`);
  await expect.poll(openStreams(server.url)).toBe(1);
  for (let tick = 0; tick < 3; tick++) await recorder.next();
  await page.goBack({ waitUntil: "commit" });
  await expect(page.locator("body.kept")).toBeAttached();
  await expect(dashboard.indicator).toHaveText("live");
  await expect.poll(openStreams(server.url)).toBe(2);
  const reading = await dashboard.readWhenCaughtUp(recorder);
  expect(sampledTicks(reading)).toEqual(recorder.ticks.filter((t) => t <= reading.newest));
  expect(reading.gaps).toEqual([]);
});
