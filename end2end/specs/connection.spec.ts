import { Dashboard, gapsBetween, sampledTicks } from "../fixtures/dashboard";
import { openStreams } from "../fixtures/metrics";
import { ReverseProxy } from "../fixtures/proxy";
import { expect, test } from "../fixtures/test";

const GONE = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/;

test("live state shows the delay of samples", async ({ dashboard, page }) => {
  await dashboard.open();
  await expect(dashboard.indicator).toHaveText("live");
  await expect(page.locator(".link small")).toHaveText(/^\d{1,3} ms$/);
  await expect(dashboard.notice).toBeHidden();
});

test("refused stream shows the server's reason and is retried after the stated time", async ({
  server,
  dashboard,
  browserLog,
}) => {
  test.setTimeout(90_000);
  browserLog.allow(/429/);
  browserLog.allow(GONE);
  await server.kill();
  await server.start("--max-streams-per-address", "1");
  const other = new AbortController();
  const { body } = await fetch(`${server.url}/api/stream`, { signal: other.signal });
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("refused");
  await expect(dashboard.notice).toContainText("There are 1 open streams from your address");
  await expect(dashboard.notice).toContainText(/Retrying in \d+ s/);
  await body!.cancel().catch(() => {});
  other.abort();
  await expect(dashboard.indicator).toHaveText("live", { timeout: 40_000 });
  await expect(dashboard.notice).toBeHidden();
});

test("stream buffered by a proxy falls back to polling and shows advice", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  test.setTimeout(90_000);
  const proxy = ReverseProxy.buffering();
  await proxy.start(server.url);
  try {
    const recorder = await record(server.url);
    await dashboard.open(60, proxy.url);
    await expect(dashboard.indicator).toHaveText("polling", { timeout: 60_000 });
    await expect(dashboard.notice).toContainText("proxy_buffering off");
    for (let tick = 0; tick < 5; tick++) {
      const t = await recorder.next();
      await expect.poll(async () => (await dashboard.read()).newest, { timeout: 4000 }).toBeGreaterThanOrEqual(t);
    }
    const reading = await dashboard.readWhenCaughtUp(recorder);
    expect(reading.gaps).toEqual([]);
    const advice = dashboard.notice.getByRole("link", { name: "Proxy setup" });
    const response = await page.request.get(new URL((await advice.getAttribute("href"))!, proxy.url).href);
    const text = await response.text();
    expect(response.headers()["content-type"]).toMatch(/^text\/plain/);
    expect(text).toContain("## Behind a proxy");
  } finally {
    await page.close();
    await proxy.stop();
  }
});

test("hidden page closes its stream and catches up once visible", async ({ server, dashboard, page, record }) => {
  const recorder = await record(server.url);
  // Simulated, as a headless browser never hides a page; the skew stands for the minute until the stream is closed.
  await page.addInitScript(() => {
    let hidden = false;
    let skew = 0;
    const { now } = Date;
    Date.now = () => now() + skew;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    addEventListener("visible", ({ detail }: CustomEventInit<boolean>) => {
      hidden = !detail;
      if (hidden) setTimeout(() => (skew = 61_000));
      document.dispatchEvent(new Event("visibilitychange"));
    });
  });
  const setVisible = (visible: boolean) =>
    page.evaluate((detail) => dispatchEvent(new CustomEvent("visible", { detail })), visible);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await setVisible(false);
  await expect(dashboard.indicator).toHaveText("paused");
  await expect.poll(openStreams(server.url)).toBe(1);
  const { newest } = await dashboard.read();
  while (recorder.newest < newest + 3000) await recorder.next();
  expect((await dashboard.read()).newest).toBe(newest);
  await setVisible(true);
  await expect(dashboard.indicator).toHaveText("live");
  const reading = await dashboard.readWhenCaughtUp(recorder);
  expect(sampledTicks(reading)).toEqual(recorder.ticks.filter((t) => t <= reading.newest));
});

test("device without a network is reported as offline and recovers without a lost second", async ({
  server,
  dashboard,
  context,
  record,
  browserLog,
}) => {
  browserLog.allow(GONE);
  browserLog.allow(/ERR_INTERNET_DISCONNECTED/);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await context.setOffline(true);
  await server.kill();
  await expect(dashboard.indicator).toHaveText("offline", { timeout: 20_000 });
  await expect(dashboard.notice).toContainText("This device is offline. Last sample at");
  const before = sampledTicks(await dashboard.read());
  await server.start();
  const after = await record(server.url);
  await context.setOffline(false);
  await expect(dashboard.indicator).toHaveText("live");
  const reading = await dashboard.readWhenCaughtUp(after);
  const seen = [...before, ...after.ticks].filter((t) => t <= reading.newest);
  expect(sampledTicks(reading)).toEqual(seen);
  expect(reading.gaps).toEqual(gapsBetween(seen));
});

test("malformed event is counted and skipped", async ({ server, dashboard, page, record }) => {
  const recorder = await record(server.url);
  await page.addInitScript(() => {
    const Original = EventSource;
    globalThis.EventSource = class extends Original {
      constructor(url: string | URL) {
        super(url);
        setTimeout(() => this.dispatchEvent(new MessageEvent("cpu", { data: "{", lastEventId: "1-0" })), 500);
      }
    };
  });
  await dashboard.open(60, server.url);
  await expect(page.locator("footer.coverage")).toContainText("1 malformed event skipped");
  await expect(dashboard.indicator).toHaveText("live");
  expect((await dashboard.readWhenCaughtUp(recorder)).gaps).toEqual([]);
});

test("browser without EventSource follows the stream through fetch", async ({ server, dashboard, page, record }) => {
  const recorder = await record(server.url);
  await page.addInitScript(() => {
    delete (globalThis as { EventSource?: unknown }).EventSource;
  });
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  for (let tick = 0; tick < 3; tick++) await recorder.next();
  const reading = await dashboard.readWhenCaughtUp(recorder);
  expect(sampledTicks(reading)).toEqual(recorder.ticks.filter((t) => t <= reading.newest));
});

test("sign-in page in place of the stream is reported as signed out", async ({
  server,
  dashboard,
  page,
  browserLog,
}) => {
  browserLog.allow(/MIME type \("text\/html"\) that is not "text\/event-stream"/);
  await page.route("**/api/stream?*", (route) =>
    route.fulfill({ contentType: "text/html", body: "<form>Sign in</form>" }),
  );
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("refused");
  await expect(dashboard.notice).toContainText("Signed out. Reload the page to sign in.");
  await page.unroute("**/api/stream?*");
  await expect(dashboard.indicator).toHaveText("live", { timeout: 20_000 });
});

test("bearer token from the URL is sent by all tabs until it is cleared", async ({
  server,
  dashboard,
  page,
  context,
  record,
  browserLog,
}) => {
  browserLog.allow(/401/);
  const proxy = ReverseProxy.requiringToken("s3cret");
  await proxy.start(server.url);
  try {
    await dashboard.open(60, proxy.url);
    await expect(dashboard.indicator).toHaveText("refused");
    await expect(dashboard.notice).toContainText("Signed out. Reload the page to sign in.");

    const recorder = await record(server.url);
    await page.goto(`${proxy.url}/?window=60#token=wrong`);
    await expect(dashboard.notice).toContainText("The stored token was rejected");
    await page.goto(`${proxy.url}/?window=60#token=s3cret`);
    await expect(dashboard.indicator).toHaveText("live");
    expect(page.url()).toBe(`${proxy.url}/?window=60`);
    const other = new Dashboard(await context.newPage());
    await other.open(60, proxy.url);
    await expect(other.indicator).toHaveText("live");
    await expect.poll(openStreams(server.url), "the recorder's and one more").toBe(2);
    // The second tab now opens the stream itself, and must send the token.
    await page.goto("about:blank");
    for (let tick = 0; tick < 3; tick++) await recorder.next();
    await expect(other.indicator).toHaveText("live");
    const reading = await other.readWhenCaughtUp(recorder);
    expect(sampledTicks(reading)).toEqual(recorder.ticks.filter((t) => t <= reading.newest));

    await page.goto(`${proxy.url}/?window=60#token=`);
    await other.page.close();
    await expect(dashboard.indicator).toHaveText("refused");
  } finally {
    for (const tab of context.pages()) await tab.close();
    await proxy.stop();
  }
});
