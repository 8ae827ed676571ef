import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/test";

/** The panels of the form, in its order. */
const rows = (page: Page) =>
  page.locator('input[name="panel"]').evaluateAll((inputs: HTMLInputElement[]) => inputs.map(({ value }) => value));

/** The panels of the dashboard, in its order. */
const panels = (page: Page) => page.locator("main > .panel").evaluateAll((panels) => panels.map(({ id }) => id));

const handle = (page: Page, title: string) => page.getByRole("button", { name: `Reorder ${title}`, exact: true });

async function save(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/(\?panels=|$)/);
}

test("panel dragged by mouse is where it was dropped, on the dashboard too", async ({
  baseURL,
  browserLog,
  dashboard,
  page,
}) => {
  // Through the service worker, the browser logs the redirect of a form as aborted.
  browserLog.allow(/ERR_ABORTED/);
  await page.goto("/");
  await page.getByRole("link", { name: "Arrange panels" }).click();
  await handle(page, "Disk").hover();
  await page.mouse.down();
  const { x, y } = (await handle(page, "Memory").boundingBox())!;
  await page.mouse.move(x + 5, y + 5, { steps: 12 });
  await page.mouse.up();
  expect((await rows(page)).slice(0, 3)).toEqual(["cpu", "disk", "memory"]);
  await expect(page.locator("li.lifted")).toHaveCount(0);
  await page.getByLabel("Load", { exact: true }).uncheck();
  await save(page);
  await expect(page).toHaveURL(/\?panels=cpu,disk,memory,pressure,/);
  await expect(dashboard.indicator).toHaveText("live");
  // The cookie alone, after hydration, keeps the same order.
  await page.goto(baseURL!);
  await expect(page.locator("#disk .drawing.drawn")).toBeVisible();
  expect((await panels(page)).slice(0, 4)).toEqual(["cpu", "disk", "memory", "pressure"]);
  const tiles = page.getByRole("navigation", { name: "Overview" }).getByRole("link");
  await expect(tiles.nth(1)).toHaveAttribute("href", "#disk");
  await expect(page.locator("#load")).toHaveCount(0);

  await page.goto("/?panels=load,cpu");
  expect(await panels(page)).toEqual(["load", "cpu"]);
  await page.getByRole("link", { name: "Arrange panels" }).click();
  expect((await rows(page)).slice(0, 2)).toEqual(["load", "cpu"]);
  await page.getByRole("button", { name: "Reset" }).click();
  await expect(page).toHaveURL(`${baseURL}/`);
  expect((await panels(page)).slice(0, 3)).toEqual(["cpu", "memory", "load"]);
});

test("panel is moved by keyboard, announced, and keeps the focus", async ({ page }) => {
  await page.goto("/panels");
  const live = page.locator(".live");
  await handle(page, "Load").focus();
  await page.keyboard.press("Space");
  await expect(live).toHaveText(/^Load lifted from position 3 of \d+\.$/);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect(live).toHaveText(/^Load is at position 1 of/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await expect(live).toHaveText(/^Load dropped at position 2 of/);
  expect((await rows(page)).slice(0, 3)).toEqual(["cpu", "load", "memory"]);
  await expect(handle(page, "Load")).toBeFocused();

  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Escape");
  await expect(live).toHaveText(/^Load put back at position 2 of/);
  expect((await rows(page)).slice(0, 3)).toEqual(["cpu", "load", "memory"]);
  // Once it is dropped, arrow keys do nothing.
  await page.keyboard.press("ArrowDown");
  expect((await rows(page)).slice(0, 3)).toEqual(["cpu", "load", "memory"]);

  const down = page.getByRole("button", { name: "Move CPU down" });
  await down.press("Enter");
  await expect(down).toBeFocused();
  expect((await rows(page)).slice(0, 3)).toEqual(["load", "cpu", "memory"]);
  await page.getByLabel("CPU", { exact: true }).press("Enter");
  await expect(page).toHaveURL(/\?panels=load,cpu,memory,/);
});

test("choice without a panel is refused and stays in the form", async ({ page, browserLog }) => {
  browserLog.allow(/status of 400/);
  await page.goto("/panels");
  for (const box of await page.getByRole("checkbox").all()) await box.uncheck();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toHaveText("No panel is chosen. Choose at least one.");
  await expect(page.getByRole("checkbox", { checked: true })).toHaveCount(0);
});

test.describe("on a touch screen", () => {
  test.use({ hasTouch: true, viewport: { width: 390, height: 700 } });

  test("panel dragged by finger is where it was dropped, and the page does not scroll", async ({ page }) => {
    await page.goto("/panels");
    const from = (await handle(page, "Memory").boundingBox())!;
    const to = (await handle(page, "CPU").boundingBox())!;
    const session = await page.context().newCDPSession(page);
    const touch = (type: string, y?: number) =>
      session.send("Input.dispatchTouchEvent", {
        type: type as "touchStart",
        touchPoints: y === undefined ? [] : [{ x: from.x + 10, y }],
      });
    await touch("touchStart", from.y + 10);
    for (let y = from.y + 10; y > to.y + 5; y -= 8) await touch("touchMove", y);
    await touch("touchMove", to.y + 5);
    await touch("touchEnd");
    expect((await rows(page)).slice(0, 2)).toEqual(["memory", "cpu"]);
    expect(await page.evaluate(() => scrollY)).toBe(0);
  });
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("panels are moved, hidden and reset", async ({ page, browserLog }) => {
    browserLog.allow(/\.js csp$|preloaded using link preload but not used/);
    await page.goto("/panels");
    await expect(handle(page, "CPU")).toBeHidden();
    await page.getByLabel("Load", { exact: true }).uncheck();
    await page.getByRole("button", { name: "Move Memory up" }).click();
    await expect(page.getByLabel("Load", { exact: true })).not.toBeChecked();
    await expect(page.getByRole("button", { name: "Move Memory up" })).toBeFocused();
    await save(page);
    await expect(page).toHaveURL(/\?panels=memory,cpu,pressure,/);
    await page.goto("/");
    await expect(page.locator("main > .panel").first()).toHaveId("memory");
    await page.getByRole("link", { name: "Arrange panels" }).click();
    await page.getByRole("button", { name: "Reset" }).click();
    await expect(page.locator("main > .panel").first()).toHaveId("cpu");
  });
});

test("arranged panels fill each row on a wide screen", async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto("/?panels=network,cpu,memory,load,disk,pressure,connections,processes");
  await expect(page.locator("#cpu .drawing.drawn").first()).toBeVisible();
  const faults = await page.locator("main").evaluate((main) => {
    const { right } = main.getBoundingClientRect();
    const boxes = [...main.querySelectorAll(":scope > .panel:not([hidden])")].map((of) => of.getBoundingClientRect());
    const last = boxes.filter((box, i) => boxes[i + 1]?.top !== box.top);
    return last.map((box) => Math.abs(box.right - right)).filter((gap) => gap > 1);
  });
  expect(faults).toEqual([]);
});

test("wall screen and frame have no link to the form", async ({ page }) => {
  for (const path of ["/?kiosk", "/embed/cpu"]) {
    await page.goto(path);
    await expect(page.getByRole("link", { name: "Arrange panels" })).toHaveCount(0);
  }
});

for (const colorScheme of ["light", "dark"] as const)
  for (const width of [320, 1440])
    test.describe(`${width} pixels wide, ${colorScheme}`, () => {
      test.use({ viewport: { width, height: 900 }, colorScheme });

      test("form has no axe violations and fits", async ({ page }) => {
        await page.goto("/panels");
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow).toBeLessThanOrEqual(0);
        if (process.env.SCREENS)
          await page.screenshot({ path: `${process.env.SCREENS}/arrange-${width}-${colorScheme}.png`, fullPage: true });
      });
    });
