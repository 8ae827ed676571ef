import { Dashboard, sampledTicks } from "../fixtures/dashboard";
import { openStreams } from "../fixtures/metrics";
import type { Recorder } from "../fixtures/recorder";
import { expect, test } from "../fixtures/test";

const TABS = 8;

test("eight tabs cost the server one stream, whichever of them are closed", async ({ server, context, record }) => {
  test.setTimeout(120_000);
  const recorder = await record(server.url);
  const tabs: Dashboard[] = [];
  // All at once, as a browser that is started again opens them.
  for (let tab = 0; tab < TABS; tab++) tabs.push(new Dashboard(await context.newPage()));
  // On a busy machine, all that follows takes longer than a minute.
  await Promise.all(tabs.map((tab) => tab.open(300, server.url)));
  await expectAll(tabs, recorder);
  await expect.poll(openStreams(server.url), "the recorder's and one more").toBe(2);

  // The one that has the stream is among those that are closed, sooner or later; the one that stays shows every second.
  while (tabs.length > 1) {
    await tabs.shift()!.page.close();
    if (tabs.length % 3 !== 1) continue;
    await expectAll(tabs, recorder);
    await expect.poll(openStreams(server.url)).toBe(2);
  }
});

test("who comes later has what came before, and another window for itself", async ({ server, context, record }) => {
  const recorder = await record(server.url);
  const first = new Dashboard(await context.newPage());
  await first.open(60, server.url);
  await expectAll([first], recorder);
  const second = new Dashboard(await context.newPage());
  await second.open(300, server.url);
  await second.windowLink("15 min").click();
  await expectAll([first, second], recorder);
  expect((await first.read()).windowSeconds).toBe(60);
  expect((await second.read()).windowSeconds).toBe(900);
  await expect.poll(openStreams(server.url)).toBe(2);
});

test("a tab that is left hands over at once", async ({ server, context, record }) => {
  const recorder = await record(server.url);
  const first = new Dashboard(await context.newPage());
  await first.open(60, server.url);
  await expectAll([first], recorder);
  const second = new Dashboard(await context.newPage());
  await second.open(60, server.url);
  await expectAll([second], recorder);
  await first.page.goto("about:blank");
  const left = recorder.newest;
  while (recorder.newest < left + 3000) {
    await recorder.next();
    await expect(second.indicator).toHaveText("live");
  }
  await expectAll([second], recorder);
  await expect.poll(openStreams(server.url)).toBe(2);
});

test("a second that the leading tab has kept to itself comes from the server", async ({ server, context, record }) => {
  const recorder = await record(server.url);
  const leader = await context.newPage();
  await leader.goto(`${server.url}/robots.txt`);
  await leader.evaluate(() => {
    const channel = new BroadcastChannel("hostbeat-2");
    const say = (...words: string[]) => channel.postMessage([0, ...words]);
    channel.onmessage = ({ data }) => data[1] === "who" && say("mine");
    const stream = new EventSource("/api/stream?window=60");
    for (const name of ["cpu", "memory", "load", "connections", "network", "disk", "pressure"])
      stream.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
        if (Math.floor(parseInt(lastEventId) / 1000) % 3) say(name, data, lastEventId);
      });
  });
  const follower = new Dashboard(await context.newPage());
  // The first answer takes so long that a second is missed meanwhile, which it can't hold.
  let asked = 0;
  await follower.page.route("**/api/snapshot?*", async (route) => {
    const response = await route.fetch();
    if (asked++ === 0) for (let tick = 0; tick < 4; tick++) await recorder.next();
    await route.fulfill({ response });
  });
  await follower.open(60, server.url);
  const first = (await follower.read()).newest;
  for (let tick = 0; tick < 6; tick++) await recorder.next();
  await expect(async () => {
    await expectAll([follower], recorder);
    expect((await follower.read()).newest).toBeGreaterThan(first + 4000);
  }).toPass();
  await expect.poll(openStreams(server.url)).toBe(2);
});

test("a tab that gives way, and was ahead of the leading one's stream, costs that no second", async ({ server, context, record }) => {
  const recorder = await record(server.url);
  const leader = new Dashboard(await context.newPage());
  await leader.open(60, server.url);
  await expectAll([leader], recorder);
  const other = await context.newPage();
  await other.goto(`${server.url}/robots.txt`);
  const answer = await other.evaluate(async () => {
    const channel = new BroadcastChannel("hostbeat-2");
    const answer = new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(data[1])));
    const stream = new EventSource("/api/stream?window=0");
    await new Promise<void>((resolve) => {
      stream.addEventListener("cpu", ({ data, lastEventId }: MessageEvent<string>) => {
        const cpu = JSON.parse(data);
        const [, group] = lastEventId.split("-");
        const t = cpu.t + 3000;
        // No number is greater than 1: who has it gives way to all.
        channel.postMessage([2, "cpu", JSON.stringify({ ...cpu, t }), `${t}-${group}`]);
        resolve();
      });
    });
    stream.close();
    return answer;
  });
  expect(answer).toBe("mine");
  for (let tick = 0; tick < 5; tick++) await recorder.next();
  await expectAll([leader], recorder);
});

/** Each is live, with every second that the server has sampled. */
async function expectAll(tabs: Dashboard[], recorder: Recorder): Promise<void> {
  for (const tab of tabs) {
    await expect(tab.indicator).toHaveText("live");
    const reading = await tab.readWhenCaughtUp(recorder);
    expect(sampledTicks(reading)).toEqual(recorder.ticks.filter((t) => t <= reading.newest));
  }
}
