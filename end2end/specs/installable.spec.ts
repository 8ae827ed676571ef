import { expect, test } from "../fixtures/test";

test("manifest and icons make the page installable", async ({ page, request }) => {
  await page.goto("/");
  const manifest = await (await request.get((await page.locator("link[rel=manifest]").getAttribute("href"))!)).json();
  expect(manifest).toMatchObject({ name: "Hostbeat", start_url: "./", display: "standalone" });
  for (const { src, type } of manifest.icons) {
    const icon = await request.get(src);
    expect([src, icon.status(), icon.headers()["content-type"]]).toEqual([src, 200, type]);
  }
});

test("service worker shows an offline page while the server is down", async ({
  server,
  dashboard,
  page,
  browserLog,
}) => {
  browserLog.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  await server.kill();
  await page.goto(`${server.url}/?window=60&kiosk`);
  await expect(page.getByRole("heading")).toHaveText("Out of reach");
  expect(await page.locator("main").evaluate((main) => getComputedStyle(main).maxWidth)).not.toBe("none");
  // Below the dashboard's folder, too, and with its stylesheet.
  await page.goto(`${server.url}/embed/cpu`);
  await expect(page.getByRole("heading")).toHaveText("Out of reach");
  expect(await page.locator("main").evaluate((main) => getComputedStyle(main).maxWidth)).not.toBe("none");
  await page.goto(`${server.url}/?window=60&kiosk`);
  await server.start();
  // The offline page reloads its address by itself.
  await expect(dashboard.indicator).toHaveText("live");
  await expect(page).toHaveURL(/\?window=60&kiosk$/);
});
