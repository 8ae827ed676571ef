import { CHARTS, gapsBetween, secondsOf } from "../fixtures/dashboard";
import { ink, lines } from "../fixtures/pixels";
import { expect, test } from "../fixtures/test";

test("after a restart nothing is missing that the server saw, and the rest is a gap", async ({
  server,
  dashboard,
  record,
  complaints,
}) => {
  // A browser reports every attempt to reach a server that is not there.
  complaints.expect(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
  const before = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  for (let tick = 0; tick < 3; tick++) await before.next();
  // What was sent to nobody, nobody can show.
  await dashboard.readWith(before);
  await server.kill();
  await expect(dashboard.indicator).toHaveText("reconnecting");
  await expect.poll(() => Date.now(), "a few seconds go unsampled").toBeGreaterThan(before.newest + 4000);
  await server.start();
  const after = await record(server.url);
  await expect(dashboard.indicator).toHaveText("live", { timeout: 15_000 });
  await after.at(after.newest + 2000);

  const reading = await dashboard.readWith(after);
  const seen = [...before.ticks, ...after.ticks].filter((t) => t <= reading.newest);
  expect(secondsOf(reading)).toEqual(seen);
  expect(reading.gaps).toEqual(gapsBetween(seen));
  const [last, first] = [before.ticks.at(-1)!, after.ticks[0]!];
  const outage = `No samples from ${time(last + 1000)} to ${time(first - 1000)} (${(first - last) / 1000 - 1} s)`;
  await expect(dashboard.gaps.filter({ hasText: outage })).toBeVisible();

  for (const chart of CHARTS) {
    const canvas = dashboard.canvas(chart);
    const gap = await ink(canvas, { from: last, to: first, span: 60 });
    expect(lines(gap), `lines across the gap of ${chart}`).toEqual([]);
    expect(gap.mute.faint, `shade of the gap of ${chart}`).toBeGreaterThan(0.5);
    for (const [from, to] of [
      [before.ticks[0]!, last],
      [first, after.newest],
    ] as const)
      expect(lines(await ink(canvas, { from, to, span: 60 })), `lines of ${chart}`).not.toEqual([]);
  }
});

function time(t: number): string {
  return new Date(t).toISOString().slice(11, 19);
}
