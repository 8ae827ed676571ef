import { type Dashboard, gapsBetween, sampledTicks } from "../fixtures/dashboard";
import type { Recorder } from "../fixtures/recorder";
import { expect, test } from "../fixtures/test";

test("a server that falls silent is called stale, and live when it goes on", async ({ server, dashboard, record }) => {
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await recorder.next();
  const { newest } = await dashboard.readWhenCaughtUp(recorder);
  server.suspend();
  await expect(dashboard.indicator).toHaveText("stale", { timeout: 5000 });
  server.resume();
  await expectAll(dashboard, recorder, newest);
});

test("a stream that stays silent is given up for a new one", async ({ server, dashboard, page, record }) => {
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await recorder.next();
  const { newest } = await dashboard.readWhenCaughtUp(recorder);
  server.suspend();
  await page.waitForRequest("**/api/stream?*", { timeout: 15_000 });
  await expect(dashboard.indicator).toHaveText("stale");
  server.resume();
  await expectAll(dashboard, recorder, newest);
});

/** Live again, with every second that the server saw and gaps for the rest, of which there is some after `last`. */
async function expectAll(dashboard: Dashboard, recorder: Recorder, last: number): Promise<void> {
  await expect(dashboard.indicator).toHaveText("live");
  await recorder.next();
  const reading = await dashboard.readWhenCaughtUp(recorder);
  const seen = recorder.ticks.filter((t) => t <= reading.newest);
  expect(sampledTicks(reading)).toEqual(seen);
  expect(reading.gaps).toEqual(gapsBetween(seen));
  expect(seen).not.toContain(last + 2000);
}
