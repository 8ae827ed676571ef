import type { Page } from "@playwright/test";
import { CHARTS } from "../fixtures/dashboard";
import { colourShares } from "../fixtures/pixels";
import { expect, test } from "../fixtures/test";
import { mismatches } from "../fixtures/values";

test.beforeEach(async ({ server, dashboard }) => {
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
});

test("selected range stays in view while ticks arrive until a double click", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  const recorder = await record(server.url);
  for (let tick = 0; tick < 6; tick++) await recorder.next();
  await page.mouse.move(...at(await dashboard.positionOf("cpu", 5)));
  await page.mouse.down();
  await page.mouse.move(...at(await dashboard.positionOf("cpu", 1)));
  await page.mouse.up();
  await expect(dashboard.frozenView).toBeVisible();
  await expect(dashboard.drawing("cpu")).toHaveAccessibleName(/^CPU from [\d:]{8} to [\d:]{8}$/);
  const last = await dashboard.frozenViewEnd();
  // A selection is widened to at least ten seconds.
  await expect(dashboard.frozenView).toContainText(`${time(last, 9)}–${time(last)} UTC`);
  for (let tick = 0; tick < 2; tick++) await recorder.next();
  await dashboard.readWhenCaughtUp(recorder);
  await expect(dashboard.frozenView).toContainText(`${time(last, 9)}–${time(last)} UTC`);
  const { values } = await dashboard.read();
  const wrong = mismatches(values, await recorder.at(last));
  const labels = CHARTS.flatMap((chart) => [`${chart} headline:`, `${chart} summary:`]);
  expect(wrong.filter((mismatch) => labels.some((label) => mismatch.startsWith(label)))).toEqual([]);

  await page.mouse.dblclick(...at(await dashboard.positionOf("memory", 3, 10)));
  await expect(dashboard.frozenView).toBeHidden();
  await expect(dashboard.drawing("cpu")).toHaveAccessibleName("CPU over the last 1 min");
  await expect(dashboard.drawing("cpu")).toHaveAccessibleDescription(/^[\d.]+ %$/);
  expect((await dashboard.read()).windowSeconds).toBe(60);
  await page.mouse.move(0, 0);
  await expect.poll(() => dashboard.crosshairTick()).toBeUndefined();
  const { newest, values: live } = await dashboard.readWhenCaughtUp(recorder);
  expect(mismatches(live, await recorder.at(newest))).toEqual([]);
});

test("selection works in a chart without focus", async ({ server, dashboard, page, record }) => {
  const recorder = await record(server.url);
  for (let tick = 0; tick < 6; tick++) await recorder.next();
  await dashboard.drawing("load").focus();
  await page.mouse.move(...at(await dashboard.positionOf("cpu", 5)));
  await page.mouse.down();
  await page.mouse.move(...at(await dashboard.positionOf("cpu", 1)));
  await page.mouse.up();
  await expect(dashboard.frozenView).toBeVisible();
  const strip = page.locator("#cpu .strip");
  await strip.dblclick();
  await expect(dashboard.frozenView).toBeHidden();
});

test("Escape cancels a selection in progress", async ({ server, dashboard, page, record }) => {
  const recorder = await record(server.url);
  for (let tick = 0; tick < 6; tick++) await recorder.next();
  const band = page.locator("#cpu .plot:not(.heat) .crosshair rect");
  await page.mouse.move(...at(await dashboard.positionOf("cpu", 5)));
  await page.mouse.down();
  await page.mouse.move(...at(await dashboard.positionOf("cpu", 1)));
  await expect(band).not.toHaveAttribute("width", "0.0");
  await page.keyboard.press("Escape");
  await page.mouse.move(...at(await dashboard.positionOf("cpu", 2)));
  await expect(band).toHaveAttribute("width", "0.0");
  await page.mouse.up();
  await expect(dashboard.frozenView).toBeHidden();
});

test("crosshair keeps its second when the view resumes, and disappears if it is out of view", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  const recorder = await record(server.url);
  for (let tick = 0; tick < 3; tick++) await recorder.next();
  const cpu = dashboard.drawing("cpu");
  await cpu.focus();
  for (const key of ["Space", "ArrowLeft", "ArrowLeft"]) await page.keyboard.press(key);
  const pointed = await dashboard.crosshairTick();
  for (let tick = 0; tick < 6; tick++) await recorder.next();
  await dashboard.readWhenCaughtUp(recorder);
  await page.keyboard.press("Space");
  await expect(dashboard.frozenView).toBeHidden();
  // The crosshair moves with the live view from here on; it must not jump by the six frozen seconds.
  expect((await dashboard.crosshairTick())! - pointed!).toBeLessThanOrEqual(3000);
  for (const key of ["-", "-", "Home", "Space"]) await page.keyboard.press(key);
  await expect(dashboard.frozenView).toBeHidden();
  await expect.poll(() => dashboard.crosshairTick()).toBeUndefined();

  for (const key of ["ArrowLeft", "+", "+"]) await page.keyboard.press(key);
  await expect(dashboard.frozenView).toBeVisible();
  await page.mouse.dblclick(...at(await dashboard.positionOf("cpu", 20)));
  await expect(dashboard.frozenView).toBeHidden();
  const off = async () => Math.abs((await dashboard.read()).newest - (await dashboard.crosshairTick())! - 20_000);
  await expect.poll(off).toBeLessThanOrEqual(1000);
});

test("resuming keeps the scroll position", async ({ dashboard, page }) => {
  await dashboard.drawing("disk").focus();
  await page.keyboard.press("Space");
  await dashboard.drawing("disk").scrollIntoViewIfNeeded();
  const scrolled = () => page.evaluate(() => scrollY);
  await expect.poll(scrolled).toBeGreaterThan(0);
  const before = await scrolled();
  await page.getByRole("button", { name: "Live" }).click();
  await expect(page.getByRole("button", { name: "Pause" })).toBeFocused();
  expect(await scrolled()).toBe(before);
});

test.describe("with two fingers", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  type Point = { x: number; y: number };

  const touching = async (page: Page) => {
    const device = await page.context().newCDPSession(page);
    return async (type: "touchStart" | "touchMove" | "touchEnd", ...points: Point[]) => {
      const touchPoints = points.map(({ x, y }, id) => ({ x: Math.round(x), y: Math.round(y), id }));
      await device.send("Input.dispatchTouchEvent", { type, touchPoints });
    };
  };

  test("pinch freezes the range between the fingers", async ({ server, dashboard, page, record }) => {
    const recorder = await record(server.url);
    for (let tick = 0; tick < 6; tick++) await recorder.next();
    const touch = await touching(page);
    const position = (age: number) => dashboard.positionOf("cpu", age);
    await touch("touchStart", await position(20));
    await expect.poll(() => dashboard.crosshairTick()).toBeDefined();
    await touch("touchStart", await position(20), await position(15));
    await touch("touchMove", await position(30), await position(6));
    await expect(page.locator("#cpu .plot:not(.heat) .crosshair rect")).not.toHaveAttribute("width", "0.0");
    await expect(dashboard.frozenView).toBeHidden();
    await touch("touchEnd");
    await expect(dashboard.frozenView).toBeVisible();
    // Both ends are rounded to seconds, which are a few pixels wide.
    expect(Math.abs((await dashboard.frozenViewLength()) - 24_000)).toBeLessThanOrEqual(2_000);
  });

  test("touch outside the charts does not count as a second finger", async ({ server, dashboard, page, record }) => {
    const recorder = await record(server.url);
    for (let tick = 0; tick < 6; tick++) await recorder.next();
    const touch = await touching(page);
    for (const age of [3, 1]) {
      const finger = await dashboard.positionOf("cpu", age);
      const title = (await page.locator("#cpu").getByRole("heading", { name: "CPU" }).boundingBox())!;
      await touch("touchStart", title);
      await touch("touchStart", title, finger);
      await expect
        .poll(async () => (await dashboard.read()).newest - (await dashboard.crosshairTick())!)
        .toBe(age * 1000);
      await touch("touchEnd", title);
      await touch("touchEnd");
      await expect(dashboard.frozenView).toBeHidden();
    }
  });
});

test("pause freezes the charts while the stream continues", async ({ server, dashboard, page, record }) => {
  const recorder = await record(server.url);
  await recorder.next();
  const { newest } = await dashboard.readWhenCaughtUp(recorder);
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(dashboard.frozenView).toBeVisible();
  const view = await dashboard.frozenView.innerText();
  for (let tick = 0; tick < 3; tick++) await recorder.next();
  expect((await dashboard.readWhenCaughtUp(recorder)).newest).toBeGreaterThan(newest);
  expect(await dashboard.frozenView.innerText()).toBe(view);
  await expect(dashboard.indicator).toHaveText("live");
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(dashboard.frozenView).toBeHidden();
});

test("keyboard moves the crosshair, announces values, zooms and resumes", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  const recorder = await record(server.url);
  for (let tick = 0; tick < 3; tick++) await recorder.next();
  await dashboard.drawing("load").focus();
  for (const key of ["Space", "ArrowLeft", "ArrowLeft"]) await page.keyboard.press(key);
  const pointed = (await dashboard.crosshairTick())!;
  const { "load.one": load } = await recorder.at(pointed);
  await expect(page.locator("#load .spoken")).toContainText(`${time(pointed)}, 1 min ${load!.toFixed(2)}`);
  await expect(page.locator("#cpu .spoken")).toBeEmpty();
  await page.keyboard.press("+");
  expect(await dashboard.crosshairTick(), "the crosshair keeps its second").toBe(pointed);
  expect(await dashboard.frozenViewLength()).toBe(29_000);
  for (const key of ["-", "Space", "Escape"]) await page.keyboard.press(key);
  await expect(dashboard.frozenView).toBeHidden();
});

test("series toggled off in the legend is not drawn", async ({ dashboard, page }) => {
  const blue = async () => (await colourShares(dashboard.canvas("load"))).blue.solid;
  await expect.poll(blue).toBeGreaterThan(0);
  const series = dashboard.series("load", "1 min");
  await series.click();
  await expect(series).toHaveAttribute("aria-pressed", "false");
  await expect.poll(blue).toBe(0);
  await series.click();
  await expect.poll(blue).toBeGreaterThan(0);
  // A click between two entries toggles nothing.
  const { x, y, height } = (await page.locator("#load .legend li").nth(1).boundingBox())!;
  await page.mouse.click(x - 4, y + height / 2);
  await expect(page.locator("#load .legend [aria-pressed=true]")).toHaveCount(3);
});

test("tile shows its value and links to its panel", async ({ dashboard, page }) => {
  const tile = page.getByRole("navigation", { name: "Overview" }).getByRole("link", { name: "Disk" });
  await expect(tile).toContainText(/read\s.+ · write\s.+/);
  await tile.click();
  await expect(dashboard.drawing("disk")).toBeInViewport();
});

function at({ x, y }: { x: number; y: number }): [number, number] {
  return [x, y];
}

/** The time of day `age` seconds before a tick. */
function time(t: number, age = 0): string {
  return new Date(t - age * 1000).toISOString().slice(11, 19);
}
