import { test as base, expect } from "@playwright/test";
import { gapsBetween, sampledTicks } from "../fixtures/dashboard";
import { mismatches } from "../fixtures/values";
import { Firefox } from "../fixtures/firefox";
import { Recorder } from "../fixtures/recorder";
import { Server } from "../fixtures/server";

/** What only a browser of another kind can tell. */
const test = base.extend<{ firefox: Firefox; server: Server }>({
  firefox: async ({}, use) => {
    const firefox = await Firefox.start();
    await use(firefox);
    await firefox.quit();
  },
  server: async ({}, use) => {
    const server = new Server();
    await server.start();
    await use(server);
    await server.kill();
  },
});

test.describe.configure({ timeout: 90_000 });

test("in Firefox too, every figure is the one that the stream brought, and nothing complains", async ({
  firefox,
  server,
}) => {
  const recorder = await Recorder.follow(server.url);
  await firefox.open(`${server.url}/?window=60`);
  await expect.poll(() => link(firefox), { timeout: 20_000 }).toBe("live");
  expect(await firefox.evaluate((document) => document.querySelectorAll(".drawing:not(.drawn)").length)).toBe(
    await firefox.evaluate((document) => document.querySelectorAll(".panel[hidden] .drawing").length),
  );
  for (let tick = 0; tick < 4; tick++) {
    await recorder.next();
    let reading = await firefox.read();
    const behind = async () => {
      reading = await firefox.read();
      return recorder.newest - reading.newest;
    };
    await expect.poll(behind, { intervals: [50] }).toBe(0);
    expect(mismatches(reading.values, await recorder.at(reading.newest))).toEqual([]);
  }
  recorder.stop();
  // A complaint would have been heard.
  await firefox.evaluate(() => console.error("the last"));
  await expect.poll(() => firefox.complaints.length).toBeGreaterThan(0);
  expect(firefox.complaints).toEqual(['console.error: "the last"']);
});

test("in Firefox too, a restart costs only what nobody sampled", async ({ firefox, server }) => {
  const before = await Recorder.follow(server.url);
  await firefox.open(`${server.url}/?window=60`);
  await expect.poll(() => link(firefox), { timeout: 20_000 }).toBe("live");
  for (let tick = 0; tick < 3; tick++) await before.next();
  await expect.poll(async () => (await firefox.read()).newest).toBeGreaterThanOrEqual(before.newest);
  await server.kill();
  await expect.poll(() => link(firefox)).toBe("reconnecting");
  await expect.poll(() => Date.now(), "a few seconds go unsampled").toBeGreaterThan(before.newest + 4000);
  await server.start();
  const after = await Recorder.follow(server.url);
  await expect.poll(() => link(firefox), { timeout: 30_000 }).toBe("live");
  await after.at(after.newest + 2000);
  await expect.poll(async () => (await firefox.read()).newest).toBeGreaterThanOrEqual(after.ticks[0]! + 2000);
  const reading = await firefox.read();
  await after.at(reading.newest);
  const seen = [...before.ticks, ...after.ticks].filter((t) => t <= reading.newest);
  expect(sampledTicks(reading)).toEqual(seen);
  expect(reading.gaps).toEqual(gapsBetween(seen));
  after.stop();
});

/** What the page says of the stream. */
function link(firefox: Firefox): Promise<string> {
  return firefox.evaluate((document) => document.querySelector(".link [role=status]")!.textContent!);
}
