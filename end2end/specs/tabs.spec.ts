import { Dashboard, sampledTicks } from "../fixtures/dashboard";
import { openStreams } from "../fixtures/metrics";
import type { Recorder } from "../fixtures/recorder";
import { expect, test } from "../fixtures/test";

const TABS = 8;

test("eight tabs share one stream, also as tabs are closed", async ({ server, context, record }) => {
  test.setTimeout(120_000);
  const recorder = await record(server.url);
  const tabs: Dashboard[] = [];
  // All at once, as a browser restores its tabs.
  for (let tab = 0; tab < TABS; tab++) tabs.push(new Dashboard(await context.newPage()));
  // More than a minute, which the rest of the test can take on a busy machine.
  await Promise.all(tabs.map((tab) => tab.open(300, server.url)));
  await expectAll(tabs, recorder);
  await expect.poll(openStreams(server.url), "the recorder's and one more").toBe(2);

  // The leader is among the closed tabs sooner or later; the remaining tabs still show every second.
  while (tabs.length > 1) {
    await tabs.shift()!.page.close();
    if (tabs.length % 3 !== 1) continue;
    await expectAll(tabs, recorder);
    await expect.poll(openStreams(server.url)).toBe(2);
  }
});

test("second tab gets the history and may have another window", async ({ server, context, record }) => {
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

test("leader that is navigated away hands off to another tab at once", async ({ server, context, record }) => {
  const recorder = await record(server.url);
  const first = new Dashboard(await context.newPage());
  await first.open(60, server.url);
  await expectAll([first], recorder);
  const second = new Dashboard(await context.newPage());
  await second.open(60, server.url);
  await expectAll([second], recorder);
  await first.page.goto("about:blank");
  const departure = recorder.newest;
  while (recorder.newest < departure + 3000) {
    await recorder.next();
    await expect(second.indicator).toHaveText("live");
  }
  await expectAll([second], recorder);
  await expect.poll(openStreams(server.url)).toBe(2);
});

test("ticks that the leader does not relay are fetched from the server", async ({ server, context, record }) => {
  const recorder = await record(server.url);
  const leader = await context.newPage();
  await leader.goto(`${server.url}/robots.txt`);
  await leader.evaluate(async () => {
    const { host_id } = await (await fetch("/api/snapshot?window=0")).json();
    const channel = new BroadcastChannel(`hostbeat-3-${host_id}`);
    const post = (...message: string[]) => channel.postMessage([0, ...message]);
    channel.onmessage = ({ data }) => data[1] === "who" && post("mine");
    const stream = new EventSource("/api/stream?window=60");
    for (const name of ["cpu", "memory", "load", "connections", "network", "disk", "pressure"])
      stream.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
        if (Math.floor(parseInt(lastEventId) / 1000) % 3) post(name, data, lastEventId);
      });
  });
  const follower = new Dashboard(await context.newPage());
  // The first snapshot is delayed until the follower has missed a tick that the snapshot lacks.
  let requests = 0;
  await follower.page.route("**/api/snapshot?*", async (route) => {
    const response = await route.fetch();
    if (requests++ === 0) for (let tick = 0; tick < 4; tick++) await recorder.next();
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

test("event from a yielding tab ahead of the leader's stream costs no second", async ({ server, context, record }) => {
  const recorder = await record(server.url);
  const leader = new Dashboard(await context.newPage());
  await leader.open(60, server.url);
  await expectAll([leader], recorder);
  const other = await context.newPage();
  await other.goto(`${server.url}/robots.txt`);
  const answer = await other.evaluate(async () => {
    const { host_id } = await (await fetch("/api/snapshot?window=0")).json();
    const channel = new BroadcastChannel(`hostbeat-3-${host_id}`);
    const answer = new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(data[1])));
    const stream = new EventSource("/api/stream?window=0");
    await new Promise<void>((resolve) => {
      stream.addEventListener("cpu", ({ data, lastEventId }: MessageEvent<string>) => {
        const cpu = JSON.parse(data);
        const [, group, tag] = lastEventId.split("-");
        const t = cpu.t + 3000;
        // Ids are at most 1; of two leaders, the one with the greater id yields.
        channel.postMessage([2, "cpu", JSON.stringify({ ...cpu, t }), `${t}-${group}-${tag}`]);
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

/** Every tab is live and has every sampled second. */
async function expectAll(tabs: Dashboard[], recorder: Recorder): Promise<void> {
  for (const tab of tabs) {
    await expect(tab.indicator).toHaveText("live");
    const reading = await tab.readWhenCaughtUp(recorder);
    expect(sampledTicks(reading)).toEqual(recorder.ticks.filter((t) => t <= reading.newest));
  }
}
