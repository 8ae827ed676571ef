import { expect, test } from "../fixtures/test";

test("browser log stays empty through ordinary use", async ({ dashboard, page, browserLog }) => {
  await dashboard.open();
  await expect(dashboard.indicator).toHaveText("live");
  for (const window of ["15 min", "1 min", "5 min"] as const) await dashboard.windowLink(window).click();
  for (const colorScheme of ["dark", "light"] as const) await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width: 700, height: 500 });
  await page.reload();
  await expect(dashboard.indicator).toHaveText("live");
  const { newest } = await dashboard.read();
  await expect.poll(async () => (await dashboard.read()).newest).toBeGreaterThan(newest + 2000);
  expect(browserLog.entries).toEqual([]);
});

// Proves that the empty log of the other tests means something.
test("browser log records warnings, errors and policy violations", async ({ dashboard, page, browserLog }) => {
  await dashboard.open();
  await expect(dashboard.indicator).toHaveText("live");
  await page.evaluate(() => {
    console.warn("a warning");
    setTimeout(() => {
      throw new Error("an error");
    });
    const script = document.createElement("script");
    script.textContent = "0";
    document.body.append(script);
    document.body.setAttribute("style", "color: red");
    const image = new Image();
    image.src = "/nothing-here.png";
    void fetch("http://127.0.0.1:1/").catch(() => {});
  });
  const provoked = ["warning: a warning", "error: an error", "violates script-src-elem", "violates connect-src", "404"];
  for (const entry of provoked)
    await expect.poll(() => browserLog.entries).toContainEqual(expect.stringContaining(entry));
  browserLog.entries = [];
});
