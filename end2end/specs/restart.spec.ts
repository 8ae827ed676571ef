import { CHARTS, gapsBetween, sampledTicks } from "../fixtures/dashboard";
import { colourShares, lineColours } from "../fixtures/pixels";
import { expect, test } from "../fixtures/test";

test("stream resumes after a restart without a lost second, and the outage is drawn as a gap", async ({
  server,
  dashboard,
  record,
  browserLog,
}) => {
  // The browser logs every failed attempt to reconnect.
  browserLog.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
  const before = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  for (let tick = 0; tick < 3; tick++) await before.next();
  // A tick that the page missed is lost with the server's log.
  await dashboard.readWhenCaughtUp(before);
  await server.kill();
  await expect(dashboard.indicator).toHaveText("reconnecting");
  await expect.poll(() => Date.now(), "a few seconds go unsampled").toBeGreaterThan(before.newest + 4000);
  await server.start();
  const after = await record(server.url);
  await expect(dashboard.indicator).toHaveText("live", { timeout: 15_000 });
  await after.at(after.newest + 2000);

  const reading = await dashboard.readWhenCaughtUp(after);
  const seen = [...before.ticks, ...after.ticks].filter((t) => t <= reading.newest);
  expect(sampledTicks(reading)).toEqual(seen);
  expect(reading.gaps).toEqual(gapsBetween(seen));
  const [last, first] = [before.ticks.at(-1)!, after.ticks[0]!];
  const outage = `No samples from ${time(last + 1000)} to ${time(first - 1000)} (${(first - last) / 1000 - 1} s)`;
  await expect(dashboard.gaps.filter({ hasText: outage })).toBeVisible();

  for (const chart of CHARTS) {
    const canvas = dashboard.canvas(chart);
    const gap = await colourShares(canvas, { from: last, to: first, windowSeconds: 60 });
    expect(lineColours(gap), `lines across the gap of ${chart}`).toEqual([]);
    expect(gap.mute.faint, `shading of the gap of ${chart}`).toBeGreaterThan(0.5);
    for (const [from, to] of [
      [before.ticks[0]!, last],
      [first, after.newest],
    ] as const)
      expect(lineColours(await colourShares(canvas, { from, to, windowSeconds: 60 })), `lines of ${chart}`).not.toEqual(
        [],
      );
  }
});

function time(t: number): string {
  return new Date(t).toISOString().slice(11, 19);
}
