import { CHARTS, type Dashboard } from "../fixtures/dashboard";
import { mismatches } from "../fixtures/values";
import type { Recorder } from "../fixtures/recorder";
import { expect, test } from "../fixtures/test";

/** Figures that stand in legends: what they say is of the second that is pointed at. */
const LEGENDS = ["cpu user", "cpu system", "memory used", "load 5 min", "pressure I/O", "network in", "disk write"];

test("who points at a second in one chart has the figures of all at that second", async ({
  server,
  dashboard,
  page,
  record,
}) => {
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  for (let tick = 0; tick < 6; tick++) await recorder.next();
  for (const [chart, age] of [["cpu", 0], ["network", 2], ["cpu", 5]] as const) {
    const { x, y } = await dashboard.positionOf(chart, age);
    await page.mouse.move(x, y);
    await expectPointed(dashboard, recorder, age);
  }
  await page.mouse.move(0, 0);
  await expect.poll(async () => (await dashboard.read()).crosshairTimes).toEqual([]);
  const { newest, values } = await dashboard.readWhenCaughtUp(recorder);
  expect(mismatches(values, await recorder.at(newest))).toEqual([]);
});

test("the keys point too, and let go", async ({ server, dashboard, page, record }) => {
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  await expect(dashboard.indicator).toHaveText("live");
  for (let tick = 0; tick < 4; tick++) await recorder.next();
  await dashboard.drawing("load").focus();
  for (const key of ["ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight"]) await page.keyboard.press(key);
  await expectPointed(dashboard, recorder, 2);
  await page.keyboard.press("Escape");
  await expect.poll(async () => (await dashboard.read()).crosshairTimes).toEqual([]);
});

test.describe("with a finger", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("a tap points until something else is tapped", async ({ server, dashboard, page, record }) => {
    const recorder = await record(server.url);
    await dashboard.open(60, server.url);
    await expect(dashboard.indicator).toHaveText("live");
    for (let tick = 0; tick < 4; tick++) await recorder.next();
    const { width, height } = (await dashboard.drawing("memory").boundingBox())!;
    await dashboard.drawing("memory").tap({ position: { x: (width * 57) / 59, y: height / 2 } });
    await expectPointed(dashboard, recorder, 2);
    for (const drawing of [dashboard.drawing("cpu"), page.locator("#cpu .strip")]) {
      await drawing.tap({ position: { x: (width * 56) / 59, y: 10 } });
      await expect(drawing).toBeFocused();
      await expectPointed(dashboard, recorder, 3);
    }
    await page.getByRole("heading", { name: "Memory" }).tap();
    await expect.poll(async () => (await dashboard.read()).crosshairTimes).toEqual([]);

    // A finger that has moved is no tap to the browser.
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

/** Every chart shows the same second, and the figures of it. */
async function expectPointed(dashboard: Dashboard, recorder: Recorder, age: number): Promise<void> {
  await expect.poll(async () => (await dashboard.read()).crosshairTimes.length).toBeGreaterThanOrEqual(CHARTS.length);
  const { newest, pointed, values } = await dashboard.readWhenCaughtUp(recorder);
  const t = newest - age * 1000;
  expect(new Set(pointed)).toEqual(new Set([new Date(t).toISOString().slice(11, 19)]));
  const wrong = mismatches(values, await recorder.at(t));
  expect(wrong.filter((figure) => LEGENDS.some((name) => figure.startsWith(`${name}:`)))).toEqual([]);
}
