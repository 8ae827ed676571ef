import { test as base, expect } from "@playwright/test";
import { gapsBetween, sampledTicks } from "../fixtures/dashboard";
import { Firefox } from "../fixtures/firefox";
import { Recorder } from "../fixtures/recorder";
import { Server } from "../fixtures/server";
import { mismatches } from "../fixtures/values";

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

test("Firefox displays the streamed values and logs nothing", async ({ firefox, server }) => {
  const recorder = await Recorder.follow(server.url);
  await firefox.open(`${server.url}/?window=60`);
  await expect.poll(() => connectionState(firefox), { timeout: 20_000 }).toBe("live");
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
  // Proves that the log is captured.
  await firefox.evaluate(() => console.error("the last"));
  await expect.poll(() => firefox.log.length).toBeGreaterThan(0);
  expect(firefox.log).toEqual(['console.error: "the last"']);
});

test("Firefox after a server restart misses only the unsampled seconds", async ({ firefox, server }) => {
  const before = await Recorder.follow(server.url);
  await firefox.open(`${server.url}/?window=60`);
  await expect.poll(() => connectionState(firefox), { timeout: 20_000 }).toBe("live");
  for (let tick = 0; tick < 3; tick++) await before.next();
  await expect.poll(async () => (await firefox.read()).newest).toBeGreaterThanOrEqual(before.newest);
  await server.kill();
  await expect.poll(() => connectionState(firefox)).toBe("reconnecting");
  await expect.poll(() => Date.now(), "a few seconds go unsampled").toBeGreaterThan(before.newest + 4000);
  await server.start();
  const after = await Recorder.follow(server.url);
  await expect.poll(() => connectionState(firefox), { timeout: 30_000 }).toBe("live");
  await after.at(after.newest + 2000);
  await expect.poll(async () => (await firefox.read()).newest).toBeGreaterThanOrEqual(after.ticks[0]! + 2000);
  const reading = await firefox.read();
  await after.at(reading.newest);
  const seen = [...before.ticks, ...after.ticks].filter((t) => t <= reading.newest);
  expect(sampledTicks(reading)).toEqual(seen);
  expect(reading.gaps).toEqual(gapsBetween(seen));
  after.stop();
});

function connectionState(firefox: Firefox): Promise<string> {
  return firefox.evaluate((document) => document.querySelector(".link [role=status]")!.textContent!);
}
