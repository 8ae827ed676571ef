import { type Dashboard, gapsBetween, secondsOf } from "../fixtures/dashboard";
import type { Recorder } from "../fixtures/recorder";
import { expect, test } from "../fixtures/test";

test("a server that falls silent is called stale, and live when it goes on", async ({ server, dashboard, record }) => {
  const control = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await control.next();
  const { newest } = await dashboard.readWith(control);
  server.freeze();
  await expect(dashboard.indicator).toHaveText("stale", { timeout: 5000 });
  server.thaw();
  await expectAll(dashboard, control, newest);
});

test("a stream that stays silent is given up for a new one", async ({ server, dashboard, page, record }) => {
  const control = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await control.next();
  const { newest } = await dashboard.readWith(control);
  server.freeze();
  await page.waitForRequest("**/api/stream?*", { timeout: 15_000 });
  await expect(dashboard.indicator).toHaveText("stale");
  server.thaw();
  await expectAll(dashboard, control, newest);
});

/** Live again, with every second that the server saw and gaps for the rest, of which there is some after `last`. */
async function expectAll(dashboard: Dashboard, control: Recorder, last: number): Promise<void> {
  await expect(dashboard.indicator).toHaveText("live");
  await control.next();
  const reading = await dashboard.readWith(control);
  const seen = control.ticks.filter((t) => t <= reading.newest);
  expect(secondsOf(reading)).toEqual(seen);
  expect(reading.gaps).toEqual(gapsBetween(seen));
  expect(seen).not.toContain(last + 2000);
}
