import { type Dashboard, gapsBetween, sampledTicks } from "../fixtures/dashboard";
import type { Recorder } from "../fixtures/recorder";
import { expect, test } from "../fixtures/test";

test("silent server is shown as stale, and as live once it resumes", async ({ server, dashboard, record }) => {
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await recorder.next();
  const { newest } = await dashboard.readWhenCaughtUp(recorder);
  server.suspend();
  await expect(dashboard.indicator).toHaveText("stale", { timeout: 5000 });
  server.resume();
  await expectRecovery(dashboard, recorder, newest);
});

test("stream that stays silent is replaced by a new one", async ({ server, dashboard, page, record }) => {
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await recorder.next();
  const { newest } = await dashboard.readWhenCaughtUp(recorder);
  server.suspend();
  await page.waitForRequest("**/api/stream?*", { timeout: 15_000 });
  await expect(dashboard.indicator).toHaveText("stale");
  server.resume();
  await expectRecovery(dashboard, recorder, newest);
});

/** The page is live with every sampled second, and with gaps for the outage that follows `last`. */
async function expectRecovery(dashboard: Dashboard, recorder: Recorder, last: number): Promise<void> {
  await expect(dashboard.indicator).toHaveText("live");
  await recorder.next();
  const reading = await dashboard.readWhenCaughtUp(recorder);
  const seen = recorder.ticks.filter((t) => t <= reading.newest);
  expect(sampledTicks(reading)).toEqual(seen);
  expect(reading.gaps).toEqual(gapsBetween(seen));
  expect(seen).not.toContain(last + 2000);
}
