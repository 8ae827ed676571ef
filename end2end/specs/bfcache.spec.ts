import { sampledTicks } from "../fixtures/dashboard";
import { openStreams } from "../fixtures/metrics";
import { expect, test } from "../fixtures/test";

test.use({
  // Playwright disables the back/forward cache.
  launchOptions: [
    async ({ launchOptions }, use) => use({ ...launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] }),
    { scope: "worker" },
  ],
});

test("page restored from the back/forward cache catches up without a gap", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  // A reload would lose the class.
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
