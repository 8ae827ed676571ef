import { isoTime, sampledTicks } from "../fixtures/dashboard";
import { expect, test } from "../fixtures/test";

test("oldest second leaves the window as a new one arrives", async ({ server, dashboard, record }) => {
  test.setTimeout(120_000);
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await recorder.next();
  await dashboard.readWhenCaughtUp(recorder);
  server.suspend();
  await expect(dashboard.indicator).toHaveText("stale");
  server.resume();
  // A gap is visible in the list from its entry into the window until it leaves.
  const first = await recorder.next();
  const gap = dashboard.page.locator(`.spans time[datetime="${isoTime(first - 1000)}"]`);
  await expect(gap.first()).toBeVisible();
  for (let newest = 0; newest < first + 62_000;) {
    await recorder.next();
    const reading = await dashboard.readWhenCaughtUp(recorder);
    ({ newest } = reading);
    expect(reading.windowSeconds).toBe(60);
    expect(sampledTicks(reading)).toEqual(recorder.ticks.filter((t) => newest - 60_000 < t && t <= newest));
  }
  await expect(gap).toHaveCount(0);
});

declare global {
  /** Memory of the wasm module. */
  var memory: WebAssembly.Memory;
}

test("memory does not grow over hours of ticks", async ({ dashboard, page }) => {
  await page.addInitScript(() => {
    const { instantiateStreaming } = WebAssembly;
    WebAssembly.instantiateStreaming = async (...source) => {
      const module = await instantiateStreaming(...source);
      const memory = Object.values(module.instance.exports).find((value) => value instanceof WebAssembly.Memory);
      globalThis.memory = memory as WebAssembly.Memory;
      return module;
    };
  });
  // Each connection delivers half an hour of ticks at once, and ends.
  let end = 0;
  await page.route("**/api/stream?*", (route) => {
    const [ms, , tag] = new URL(route.request().url()).searchParams.get("last_event_id")!.split("-");
    end ||= Number(ms);
    const ticks = Array.from({ length: 1800 }, () => tick((end += 1000), tag!));
    return route.fulfill({ contentType: "text/event-stream", body: `retry: 1\n\n${ticks.join("")}` });
  });
  await dashboard.open(900);
  const { newest } = await dashboard.read();
  const memoryAfter = async (hours: number) => {
    const shown = async () => (await dashboard.read()).newest;
    await expect.poll(shown, { timeout: 20_000 }).toBeGreaterThanOrEqual(newest + hours * 3_600_000);
    expect(await dashboard.read()).toMatchObject({ windowSeconds: 900, sampled: 900, gaps: [] });
    return page.evaluate(() => globalThis.memory.buffer.byteLength);
  };
  const atFirst = await memoryAfter(1);
  expect(await memoryAfter(4)).toBe(atFirst);
});

/** Events of a tick with varying values. */
function tick(t: number, tag: string): string {
  const wave = (Math.sin(t / 60_000) + 1) / 2;
  const at = { t, at: t / 1000, dt: 1 };
  const groups = {
    cpu: {
      total: 90 * wave,
      cores: [90 * wave],
      user: 60 * wave,
      system: 30 * wave,
      nice: 0,
      irq: 0,
      iowait: 0,
      steal: 0,
    },
    memory: { total: 8e9, used: 4e9 * wave, available: 8e9 - 4e9 * wave, free: 3e9, buffers: 1e8, cached: 1e9 },
    connections: {
      viewers: 1,
      tcp: { established: Math.round(100 * wave), listen: 3, time_wait: 1 },
      udp: { in_use: 1 },
    },
  };
  const events = Object.entries(groups).map(
    ([name, group], n) => `id: ${t}-${n}-${tag}\nevent: ${name}\ndata: ${JSON.stringify({ ...at, ...group })}\n\n`,
  );
  return events.join("");
}
