import { Dashboard, gapsBetween, secondsOf } from "../fixtures/dashboard";
import { streams } from "../fixtures/metrics";
import { Proxy } from "../fixtures/proxy";
import { expect, test } from "../fixtures/test";

const GONE = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/;

test("live tells how late the samples are", async ({ dashboard, page }) => {
  await dashboard.open();
  await expect(dashboard.indicator).toHaveText("live");
  await expect(page.locator(".link small")).toHaveText(/^\d{1,3} ms$/);
  await expect(dashboard.notice).toBeHidden();
});

test("a server that gives no stream is asked why, and asked again when it says", async ({
  server,
  dashboard,
  complaints,
}) => {
  test.setTimeout(90_000);
  complaints.expect(/429/);
  complaints.expect(GONE);
  await server.kill();
  await server.start("--max-streams-per-address", "1");
  const other = new AbortController();
  const { body } = await fetch(`${server.url}/api/stream`, { signal: other.signal });
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("refused");
  await expect(dashboard.notice).toContainText("There are 1 open streams from your address already");
  await expect(dashboard.notice).toContainText(/Retrying in \d+ s/);
  await body!.cancel().catch(() => {});
  other.abort();
  await expect(dashboard.indicator).toHaveText("live", { timeout: 40_000 });
  await expect(dashboard.notice).toBeHidden();
});

test("a stream that a proxy holds back is done without, and the reader is told", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  test.setTimeout(90_000);
  const proxy = Proxy.buffering();
  await proxy.start(server.url);
  try {
    const control = await record(server.url);
    await dashboard.open(60, proxy.url);
    await expect(dashboard.indicator).toHaveText("polling", { timeout: 60_000 });
    await expect(dashboard.notice).toContainText("proxy_buffering off");
    for (let tick = 0; tick < 5; tick++) {
      const t = await control.next();
      await expect.poll(async () => (await dashboard.read()).newest, { timeout: 4000 }).toBeGreaterThanOrEqual(t);
    }
    const reading = await dashboard.readWith(control);
    expect(reading.gaps).toEqual([]);
    const advice = dashboard.notice.getByRole("link", { name: "Proxy setup" });
    const { headers, text } = await page.request.get(proxy.url + (await advice.getAttribute("href"))!).then(async (answer) => ({
      headers: answer.headers(),
      text: await answer.text(),
    }));
    expect(headers["content-type"]).toMatch(/^text\/plain/);
    expect(text).toContain("## Behind a proxy");
  } finally {
    await page.close();
    await proxy.stop();
  }
});

test("a page that nobody sees asks for nothing, and has everything once it is seen", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  const control = await record(server.url);
  // A headless browser never hides a page, and nobody wants to wait for a minute.
  await page.addInitScript(() => {
    let hidden = false;
    let skew = 0;
    const { now } = Date;
    Date.now = () => now() + skew;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    addEventListener("see", ({ detail }: CustomEventInit<boolean>) => {
      hidden = !detail;
      if (hidden) setTimeout(() => (skew = 61_000));
      document.dispatchEvent(new Event("visibilitychange"));
    });
  });
  const see = (seen: boolean) => page.evaluate((detail) => dispatchEvent(new CustomEvent("see", { detail })), seen);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await see(false);
  await expect(dashboard.indicator).toHaveText("paused");
  await expect.poll(streams(server.url)).toBe(1);
  const { newest } = await dashboard.read();
  while (control.newest < newest + 3000) await control.next();
  expect((await dashboard.read()).newest).toBe(newest);
  await see(true);
  await expect(dashboard.indicator).toHaveText("live");
  const reading = await dashboard.readWith(control);
  expect(secondsOf(reading)).toEqual(control.ticks.filter((t) => t <= reading.newest));
});

test("a device without a network is told from a server that is gone", async ({
  server,
  dashboard,
  context,
  record,
  complaints,
}) => {
  complaints.expect(GONE);
  complaints.expect(/ERR_INTERNET_DISCONNECTED/);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await context.setOffline(true);
  await server.kill();
  await expect(dashboard.indicator).toHaveText("offline", { timeout: 20_000 });
  await expect(dashboard.notice).toContainText("This device is offline. Last sample at");
  const before = secondsOf(await dashboard.read());
  await server.start();
  const after = await record(server.url);
  await context.setOffline(false);
  await expect(dashboard.indicator).toHaveText("live");
  const reading = await dashboard.readWith(after);
  const seen = [...before, ...after.ticks].filter((t) => t <= reading.newest);
  expect(secondsOf(reading)).toEqual(seen);
  expect(reading.gaps).toEqual(gapsBetween(seen));
});

test("an event that makes no sense is counted and skipped", async ({ server, dashboard, page, record }) => {
  const control = await record(server.url);
  await page.addInitScript(() => {
    const Original = EventSource;
    globalThis.EventSource = class extends Original {
      constructor(url: string) {
        super(url);
        setTimeout(() => this.dispatchEvent(new MessageEvent("cpu", { data: "{", lastEventId: "1-0" })), 500);
      }
    };
  });
  await dashboard.open(60, server.url);
  await expect(page.locator(".coverage")).toContainText("1 malformed event skipped");
  await expect(dashboard.indicator).toHaveText("live");
  expect((await dashboard.readWith(control)).gaps).toEqual([]);
});

test("a browser without EventSource follows the stream all the same", async ({ server, dashboard, page, record }) => {
  const control = await record(server.url);
  await page.addInitScript(() => {
    delete (globalThis as { EventSource?: unknown }).EventSource;
  });
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  for (let tick = 0; tick < 3; tick++) await control.next();
  const reading = await dashboard.readWith(control);
  expect(secondsOf(reading)).toEqual(control.ticks.filter((t) => t <= reading.newest));
});

test("a page that gets something else in place of the stream says so", async ({ server, dashboard, page, complaints }) => {
  complaints.expect(/MIME type \("text\/html"\) that is not "text\/event-stream"/);
  await page.route("**/api/stream?*", (route) => route.fulfill({ contentType: "text/html", body: "<form>Sign in</form>" }));
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("refused");
  await expect(dashboard.notice).toContainText("You are signed out; load the page again to sign in.");
  await page.unroute("**/api/stream?*");
  await expect(dashboard.indicator).toHaveText("live", { timeout: 20_000 });
});

test("a token that a proxy asks for is sent by all tabs, until it is forgotten", async ({
  server,
  dashboard,
  page,
  context,
  record,
  complaints,
}) => {
  complaints.expect(/401/);
  const proxy = Proxy.asking("s3cret");
  await proxy.start(server.url);
  try {
    await dashboard.open(60, proxy.url);
    await expect(dashboard.indicator).toHaveText("refused");
    await expect(dashboard.notice).toContainText("You are signed out; load the page again to sign in.");

    const control = await record(server.url);
    await page.goto(`${proxy.url}/?window=60#token=wrong`);
    await expect(dashboard.notice).toContainText("The token that this browser keeps is not taken");
    await page.goto(`${proxy.url}/?window=60#token=s3cret`);
    await expect(dashboard.indicator).toHaveText("live");
    expect(page.url()).toBe(`${proxy.url}/?window=60`);
    const other = new Dashboard(await context.newPage());
    await other.open(60, proxy.url);
    await expect(other.indicator).toHaveText("live");
    await expect.poll(streams(server.url), "the control's and one more").toBe(2);
    // The other one has to send it, too, now that it is alone.
    await page.goto("about:blank");
    for (let tick = 0; tick < 3; tick++) await control.next();
    await expect(other.indicator).toHaveText("live");
    const reading = await other.readWith(control);
    expect(secondsOf(reading)).toEqual(control.ticks.filter((t) => t <= reading.newest));

    await page.goto(`${proxy.url}/?window=60#token=`);
    await other.page.close();
    await expect(dashboard.indicator).toHaveText("refused");
  } finally {
    for (const tab of context.pages()) await tab.close();
    await proxy.stop();
  }
});
