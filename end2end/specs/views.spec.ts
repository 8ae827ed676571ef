import { createServer } from "node:http";
import { once } from "node:events";
import { expect, test } from "../fixtures/test";

test("a wall has the panels that were chosen, and nothing to press", async ({ dashboard, page }) => {
  await page.goto("/?kiosk&panels=cpu,disk&window=60");
  await expect(dashboard.indicator).toHaveText("live");
  await expect(page.locator(".panel")).toHaveCount(2);
  await expect(page.getByRole("link", { name: "5 min" })).toBeHidden();
  await expect(page.getByRole("searchbox")).toHaveCount(0);
  const { newest } = await dashboard.read();
  await expect.poll(async () => (await dashboard.read()).newest).toBeGreaterThan(newest + 1000);
});

test("a panel that the host has nothing for says so", async ({ recorded, page }) => {
  const { url } = await recorded("small");
  const said = () => page.locator("main").evaluate((main) => getComputedStyle(main, "::after").content);
  for (const path of ["/?panels=temperature", "/embed/temperature"]) {
    await page.goto(url + path);
    await expect.poll(said).toContain("No data for these panels on this host");
  }
  await page.goto(`${url}/?panels=temperature,cpu`);
  expect(await said()).toBe("none");
});

test("a choice of panels outlives a choice of window", async ({ dashboard, page }) => {
  await page.goto("/?panels=memory");
  await expect(dashboard.indicator).toHaveText("live");
  await dashboard.choice("1 min").click();
  await expect(page).toHaveURL(/\?window=60&panels=memory$/);
  await page.reload();
  await expect(page.locator(".panel")).toHaveCount(1);
});

test("a panel lives in a frame of a page that may have one, and in no other", async ({ server, page, complaints }) => {
  complaints.expect(/frame-ancestors|ERR_BLOCKED_BY_RESPONSE/);
  const wiki = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<link rel="icon" href="data:,"><iframe src="${server.url}/embed/cpu?window=60"></iframe>`);
  }).listen(0, "127.0.0.1");
  await once(wiki, "listening");
  try {
    const { port } = wiki.address() as { port: number };
    await page.goto(`http://127.0.0.1:${port}`);
    await expect(page.frameLocator("iframe").locator(".panel")).toHaveCount(0);
    await server.kill();
    await server.start("--allow-frame", `http://127.0.0.1:${port}`);
    await page.reload();
    const frame = page.frameLocator("iframe");
    await expect(frame.locator("#cpu .drawing.drawn:not(.strip)")).toBeVisible();
    await expect(frame.getByRole("link")).toHaveCount(0);
    const summary = () => frame.locator("#cpu canvas").first().evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
    const before = await summary();
    await expect.poll(summary).not.toBe(before);
  } finally {
    await page.close();
    wiki.close();
  }
});
