import { CHARTS, type Dashboard } from "../fixtures/dashboard";
import type { Recorder } from "../fixtures/recorder";
import { expect, test } from "../fixtures/test";
import { mismatches } from "../fixtures/values";

/** Legend entries, which display the values at the crosshair. */
const LEGENDS = ["cpu user", "cpu system", "memory used", "load 5 min", "pressure I/O", "network in", "disk write"];

test("crosshair in one chart shows every chart's values at that second", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  for (let tick = 0; tick < 6; tick++) await recorder.next();
  for (const [chart, age] of [
    ["cpu", 0],
    ["network", 2],
    ["cpu", 5],
  ] as const) {
    const { x, y } = await dashboard.positionOf(chart, age);
    await page.mouse.move(x, y);
    await expectCrosshair(dashboard, recorder, age);
  }
  await page.mouse.move(0, 0);
  await expect.poll(async () => (await dashboard.read()).crosshairTimes).toEqual([]);
  const { newest, values } = await dashboard.readWhenCaughtUp(recorder);
  expect(mismatches(values, await recorder.at(newest))).toEqual([]);
});

test("arrow keys move the crosshair and Escape removes it", async ({ server, dashboard, page, record }) => {
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  for (let tick = 0; tick < 4; tick++) await recorder.next();
  await dashboard.drawing("load").focus();
  for (const key of ["ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight"]) await page.keyboard.press(key);
  await expectCrosshair(dashboard, recorder, 2);
  await page.keyboard.press("Escape");
  await expect.poll(async () => (await dashboard.read()).crosshairTimes).toEqual([]);
});

test.describe("on a touch screen", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("crosshair set by a tap or drag stays until a tap elsewhere", async ({ server, dashboard, page, record }) => {
    const recorder = await record(server.url);
    await dashboard.open(60, server.url);
    await expect(dashboard.indicator).toHaveText("live");
    for (let tick = 0; tick < 4; tick++) await recorder.next();
    const { width, height } = (await dashboard.drawing("memory").boundingBox())!;
    await dashboard.drawing("memory").tap({ position: { x: (width * 57) / 59, y: height / 2 } });
    await expectCrosshair(dashboard, recorder, 2);
    for (const drawing of [dashboard.drawing("cpu"), page.locator("#cpu .strip")]) {
      await drawing.tap({ position: { x: (width * 56) / 59, y: 10 } });
      await expect(drawing).toBeFocused();
      await expectCrosshair(dashboard, recorder, 3);
    }
    await page.getByRole("heading", { name: "Memory" }).tap();
    await expect.poll(async () => (await dashboard.read()).crosshairTimes).toEqual([]);

    // The browser sends no click for a touch that moved.
    const device = await page.context().newCDPSession(page);
    for (const [type, ...ages] of [["touchStart", 20], ["touchMove", 30], ["touchMove", 40], ["touchEnd"]] as const) {
      const touchPoints = await Promise.all(ages.map((age) => dashboard.positionOf("memory", age)));
      await device.send("Input.dispatchTouchEvent", { type, touchPoints });
    }
    await expect.poll(async () => (await dashboard.read()).crosshairTimes).not.toEqual([]);
    await page.getByRole("heading", { name: "Memory" }).tap();
    await expect.poll(async () => (await dashboard.read()).crosshairTimes).toEqual([]);
  });
});

/** Every chart shows the crosshair at the same second, and that second's values. */
async function expectCrosshair(dashboard: Dashboard, recorder: Recorder, age: number): Promise<void> {
  await expect.poll(async () => (await dashboard.read()).crosshairTimes.length).toBeGreaterThanOrEqual(CHARTS.length);
  const { newest, crosshairTimes, values } = await dashboard.readWhenCaughtUp(recorder);
  const t = newest - age * 1000;
  expect(new Set(crosshairTimes)).toEqual(new Set([new Date(t).toISOString().slice(11, 19)]));
  const wrong = mismatches(values, await recorder.at(t));
  expect(wrong.filter((mismatch) => LEGENDS.some((name) => mismatch.startsWith(`${name}:`)))).toEqual([]);
}
