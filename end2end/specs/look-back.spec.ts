import type { Page } from "@playwright/test";
import { CHARTS } from "../fixtures/dashboard";
import { untrue } from "../fixtures/figures";
import { ink } from "../fixtures/pixels";
import { expect, test } from "../fixtures/test";

test.beforeEach(async ({ server, dashboard }) => {
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
});

test("what is selected stays in view while time goes on, until a double click", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  const control = await record(server.url);
  for (let tick = 0; tick < 6; tick++) await control.next();
  await page.mouse.move(...at(await dashboard.place("cpu", 5)));
  await page.mouse.down();
  await page.mouse.move(...at(await dashboard.place("cpu", 1)));
  await page.mouse.up();
  await expect(dashboard.held).toBeVisible();
  await expect(dashboard.drawing("cpu")).toHaveAccessibleName(/^CPU from [\d:]{8} to [\d:]{8}$/);
  const last = await dashboard.heldUntil();
  // Ten seconds at least: fewer are not worth a look.
  await expect(dashboard.held).toContainText(`${time(last, 9)}–${time(last)} UTC`);
  for (let tick = 0; tick < 2; tick++) await control.next();
  await dashboard.readWith(control);
  await expect(dashboard.held).toContainText(`${time(last, 9)}–${time(last)} UTC`);
  const { figures } = await dashboard.read();
  const wrong = untrue(figures, await control.at(last));
  const charts = CHARTS.flatMap((chart) => [`${chart} figure:`, `${chart} summary:`]);
  expect(wrong.filter((figure) => charts.some((name) => figure.startsWith(name)))).toEqual([]);

  await page.mouse.dblclick(...at(await dashboard.place("memory", 3, 10)));
  await expect(dashboard.held).toBeHidden();
  await expect(dashboard.drawing("cpu")).toHaveAccessibleName("CPU over the last 1 min");
  await expect(dashboard.drawing("cpu")).toHaveAccessibleDescription(/^[\d.]+ %$/);
  expect((await dashboard.read()).span).toBe(60);
  await page.mouse.move(0, 0);
  await expect.poll(() => dashboard.pointedAt()).toBeUndefined();
  const { newest, figures: live } = await dashboard.readWith(control);
  expect(untrue(live, await control.at(newest))).toEqual([]);
});

test("one selects in whichever chart, wherever the focus is", async ({ server, dashboard, page, record }) => {
  const control = await record(server.url);
  for (let tick = 0; tick < 6; tick++) await control.next();
  await dashboard.drawing("load").focus();
  await page.mouse.move(...at(await dashboard.place("cpu", 5)));
  await page.mouse.down();
  await page.mouse.move(...at(await dashboard.place("cpu", 1)));
  await page.mouse.up();
  await expect(dashboard.held).toBeVisible();
  const strip = page.locator("#cpu .strip");
  await strip.dblclick();
  await expect(dashboard.held).toBeHidden();
});

test("Escape ends a selection", async ({ server, dashboard, page, record }) => {
  const control = await record(server.url);
  for (let tick = 0; tick < 6; tick++) await control.next();
  const band = page.locator("#cpu .plot:not(.heat) .crosshair rect");
  await page.mouse.move(...at(await dashboard.place("cpu", 5)));
  await page.mouse.down();
  await page.mouse.move(...at(await dashboard.place("cpu", 1)));
  await expect(band).not.toHaveAttribute("width", "0.0");
  await page.keyboard.press("Escape");
  await page.mouse.move(...at(await dashboard.place("cpu", 2)));
  await expect(band).toHaveAttribute("width", "0.0");
  await page.mouse.up();
  await expect(dashboard.held).toBeHidden();
});

test("what is pointed at stays the same second when the view goes on, or leaves with it", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  const control = await record(server.url);
  for (let tick = 0; tick < 3; tick++) await control.next();
  const cpu = dashboard.drawing("cpu");
  await cpu.focus();
  for (const key of ["Space", "ArrowLeft", "ArrowLeft"]) await page.keyboard.press(key);
  const pointed = await dashboard.pointedAt();
  for (let tick = 0; tick < 6; tick++) await control.next();
  await dashboard.readWith(control);
  await page.keyboard.press("Space");
  await expect(dashboard.held).toBeHidden();
  // From here on, it moves with the view; had it moved with the six seconds before, it would be further.
  expect((await dashboard.pointedAt())! - pointed!).toBeLessThanOrEqual(3000);
  for (const key of ["-", "-", "Home", "Space"]) await page.keyboard.press(key);
  await expect(dashboard.held).toBeHidden();
  await expect.poll(() => dashboard.pointedAt()).toBeUndefined();

  for (const key of ["ArrowLeft", "+", "+"]) await page.keyboard.press(key);
  await expect(dashboard.held).toBeVisible();
  await page.mouse.dblclick(...at(await dashboard.place("cpu", 20)));
  await expect(dashboard.held).toBeHidden();
  const off = async () => Math.abs((await dashboard.read()).newest - (await dashboard.pointedAt())! - 20_000);
  await expect.poll(off).toBeLessThanOrEqual(1000);
});

test("who goes on stays where the page is scrolled to", async ({ dashboard, page }) => {
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

  type Place = { x: number; y: number };

  const touching = async (page: Page) => {
    const device = await page.context().newCDPSession(page);
    return async (type: "touchStart" | "touchMove" | "touchEnd", ...places: Place[]) => {
      const touchPoints = places.map(({ x, y }, id) => ({ x: Math.round(x), y: Math.round(y), id }));
      await device.send("Input.dispatchTouchEvent", { type, touchPoints });
    };
  };

  test("what lies between them stays in view", async ({ server, dashboard, page, record }) => {
    const control = await record(server.url);
    for (let tick = 0; tick < 6; tick++) await control.next();
    const touch = await touching(page);
    const place = (age: number) => dashboard.place("cpu", age);
    await touch("touchStart", await place(20));
    await expect.poll(() => dashboard.pointedAt()).toBeDefined();
    await touch("touchStart", await place(20), await place(15));
    await touch("touchMove", await place(30), await place(6));
    await expect(page.locator("#cpu .plot:not(.heat) .crosshair rect")).not.toHaveAttribute("width", "0.0");
    await expect(dashboard.held).toBeHidden();
    await touch("touchEnd");
    await expect(dashboard.held).toBeVisible();
    const [from, to] = (await dashboard.held.locator("time").allInnerTexts()).map((text) => Date.parse(`1970-01-01T${text}Z`));
    // To the nearest second, of which one is a few pixels wide.
    expect(Math.abs((86_400_000 + to! - from!) % 86_400_000 - 24_000)).toBeLessThanOrEqual(2_000);
  });

  test("a thumb that rests beside the charts is none of them", async ({ server, dashboard, page, record }) => {
    const control = await record(server.url);
    for (let tick = 0; tick < 6; tick++) await control.next();
    const touch = await touching(page);
    for (const age of [3, 1]) {
      const finger = await dashboard.place("cpu", age);
      const title = (await page.locator("#cpu").getByRole("heading", { name: "CPU" }).boundingBox())!;
      await touch("touchStart", title);
      await touch("touchStart", title, finger);
      await expect.poll(async () => (await dashboard.read()).newest - (await dashboard.pointedAt())!).toBe(age * 1000);
      await touch("touchEnd", title);
      await touch("touchEnd");
      await expect(dashboard.held).toBeHidden();
    }
  });
});

test("pause stops the charts, and the stream goes on", async ({ server, dashboard, page, record }) => {
  const control = await record(server.url);
  await control.next();
  const { newest } = await dashboard.readWith(control);
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(dashboard.held).toBeVisible();
  const view = await dashboard.held.innerText();
  for (let tick = 0; tick < 3; tick++) await control.next();
  expect((await dashboard.readWith(control)).newest).toBeGreaterThan(newest);
  expect(await dashboard.held.innerText()).toBe(view);
  await expect(dashboard.indicator).toHaveText("live");
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(dashboard.held).toBeHidden();
});

test("without a mouse: point, hear, look closer and go on", async ({ server, dashboard, page, record }) => {
  const control = await record(server.url);
  for (let tick = 0; tick < 3; tick++) await control.next();
  await dashboard.drawing("load").focus();
  for (const key of ["Space", "ArrowLeft", "ArrowLeft"]) await page.keyboard.press(key);
  const pointed = (await dashboard.pointedAt())!;
  const { "load.one": load } = await control.at(pointed);
  await expect(page.locator("#load .spoken")).toContainText(`${time(pointed)}, 1 min ${load!.toFixed(2)}`);
  await expect(page.locator("#cpu .spoken")).toBeEmpty();
  await page.keyboard.press("+");
  expect(await dashboard.pointedAt(), "the same second is pointed at").toBe(pointed);
  const [from, to] = (await dashboard.held.locator("time").allInnerTexts()).map((text) => Date.parse(`1970-01-01T${text}Z`));
  expect((86_400_000 + to! - from!) % 86_400_000).toBe(29_000);
  for (const key of ["-", "Space", "Escape"]) await page.keyboard.press(key);
  await expect(dashboard.held).toBeHidden();
});

test("a series that is switched off is not drawn", async ({ dashboard, page }) => {
  const blue = async () => (await ink(dashboard.canvas("load"))).blue.solid;
  await expect.poll(blue).toBeGreaterThan(0);
  const series = dashboard.series("load", "1 min");
  await series.click();
  await expect(series).toHaveAttribute("aria-pressed", "false");
  await expect.poll(blue).toBe(0);
  await series.click();
  await expect.poll(blue).toBeGreaterThan(0);
  // Beside them there is nothing to switch.
  const { x, y, height } = (await page.locator("#load .legend li").nth(1).boundingBox())!;
  await page.mouse.click(x - 4, y + height / 2);
  await expect(page.locator("#load .legend [aria-pressed=true]")).toHaveCount(3);
});

test("a tile leads to its panel and has its figure", async ({ dashboard, page }) => {
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
