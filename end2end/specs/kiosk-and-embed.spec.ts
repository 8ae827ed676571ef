import { createServer } from "node:http";
import { once } from "node:events";
import { expect, test } from "../fixtures/test";

test("kiosk shows the selected panels without controls", async ({ dashboard, page }) => {
  await page.goto("/?kiosk&panels=cpu,disk&window=60");
  await expect(dashboard.indicator).toHaveText("live");
  await expect(page.locator(".panel")).toHaveCount(2);
  await expect(page.getByRole("link", { name: "5 min" })).toBeHidden();
  await expect(page.getByRole("searchbox")).toHaveCount(0);
  const { newest } = await dashboard.read();
  await expect.poll(async () => (await dashboard.read()).newest).toBeGreaterThan(newest + 1000);
});

test("panel without data says so", async ({ syntheticHost, page }) => {
  const { url } = await syntheticHost("small");
  const placeholder = () => page.locator("main").evaluate((main) => getComputedStyle(main, "::after").content);
  for (const path of ["/?panels=temperature", "/embed/temperature"]) {
    await page.goto(url + path);
    await expect.poll(placeholder).toContain("No data for these panels on this host");
  }
  await page.goto(`${url}/?panels=temperature,cpu`);
  expect(await placeholder()).toBe("none");
});

test("selected panels are kept when the window changes", async ({ dashboard, page }) => {
  await page.goto("/?panels=memory");
  await expect(dashboard.indicator).toHaveText("live");
  await dashboard.windowLink("1 min").click();
  await expect(page).toHaveURL(/\?window=60&panels=memory$/);
  await page.reload();
  await expect(page.locator(".panel")).toHaveCount(1);
});

test("embedded panel loads only in frames of allowed origins", async ({ server, page, browserLog }) => {
  browserLog.allow(/frame-ancestors|ERR_BLOCKED_BY_RESPONSE/);
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
    const image = () =>
      frame
        .locator("#cpu canvas")
        .first()
        .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
    const before = await image();
    await expect.poll(image).not.toBe(before);
  } finally {
    await page.close();
    wiki.close();
  }
});
