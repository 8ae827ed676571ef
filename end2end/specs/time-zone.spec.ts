import type { Page } from "@playwright/test";
import { NOON } from "../fixtures/synthetic-host";
import { expect, test } from "../fixtures/test";

/** Zones with their name and the time of day there at `NOON`. */
const ZONES = [
  ["UTC", "UTC", "12:00:00"],
  ["Europe/Berlin", "UTC+1", "13:00:00"],
  ["Asia/Kathmandu", "UTC+5:45", "17:45:00"],
  ["America/St_Johns", "UTC−3:30", "08:30:00"],
] as const;

for (const [timezoneId, zone, noon] of ZONES)
  test.describe(`reader in ${timezoneId}`, () => {
    test.use({ timezoneId });

    test("every time is in the reader's zone, and in UTC after a click", async ({
      dashboard,
      page,
      syntheticHost,
    }) => {
      const host = await syntheticHost("unhealthy");
      // A fixed clock keeps the page from going stale.
      await page.clock.setFixedTime(Date.now());
      await dashboard.open(3600, host.url);
      await expect(page.locator("#cpu .drawn")).toHaveCount(2);
      host.next();
      await expect(dashboard.newest).toHaveText(noon);
      await page.getByRole("button", { name: "Pause" }).click();
      await dashboard.drawing("cpu").focus();
      await page.keyboard.press("End");
      const hour = noon.slice(0, 2);
      const before = String((Number(hour) + 23) % 24).padStart(2, "0");
      const minute = noon.slice(3, 5);
      const since = minute === "00" ? `${before}:59` : `${hour}:${String(Number(minute) - 1).padStart(2, "0")}`;
      expect(await times(page)).toMatchObject({ zone, footer: zone, newest: noon, crosshair: noon });
      await expect(dashboard.frozenView.getByRole("status")).toHaveText(new RegExp(`^[\\d:]{8}–${noon} UTC`));
      await expect(dashboard.frozenView).toContainText(zone);
      await expect(page.locator(".verdict")).toContainText(`Since ${since} ${zone}.`);
      await expect(dashboard.drawing("cpu")).toHaveAccessibleName(new RegExp(`^CPU from [\\d:]{8} to ${noon}$`));
      await expect(page.locator("#cpu .spoken")).toContainText(`${noon}, `);
      await page.emulateMedia({ media: "print" });
      await expect(page.locator(".printed")).toHaveText(`2050-01-01 ${noon} ${zone}`, { useInnerText: true });
      await page.emulateMedia({ media: "screen" });

      const zoneSwitch = page.getByRole("button", { name: `Time zone: ${zone}` });
      await zoneSwitch.focus();
      await page.keyboard.press("Enter");
      const utc = { zone: "UTC", footer: "UTC", newest: "12:00:00" };
      await expect.poll(() => times(page)).toMatchObject(utc);
      await expect(page.locator(".verdict")).toContainText("Since 11:59 UTC.");
      await expect(dashboard.frozenView).toContainText("–12:00:00 UTC");
    });
  });

test.describe("reader in Kathmandu", () => {
  test.use({ timezoneId: "Asia/Kathmandu" });

  test("server renders UTC, and hydration logs no mismatch", async ({ page, syntheticHost, dashboard }) => {
    const { url } = await syntheticHost("unhealthy");
    const html = await (await fetch(url)).text();
    expect(html.replace(/<!.*?>/g, "")).toMatch(/last sample at <time[^>]*>11:59:59<\/time> UTC/);
    expect(html).toContain("Since 11:59 UTC.");
    await page.clock.setFixedTime(Date.now());
    await dashboard.open(60, url);
    // The browser log must stay empty, too.
    await expect(dashboard.newest).toHaveText("17:44:59");
  });

  test("choice of UTC survives a reload, and so does the way back", async ({ page, syntheticHost, dashboard }) => {
    const { url } = await syntheticHost("typical");
    await page.clock.setFixedTime(Date.now());
    await dashboard.open(60, url);
    const zoneSwitch = page.getByRole("button", { name: /^Time zone/ });
    for (const zone of ["UTC", "UTC+5:45"]) {
      await zoneSwitch.click();
      await expect(zoneSwitch).toHaveText(zone);
      await page.reload();
      await expect(page.locator("#cpu .drawn")).toHaveCount(2);
      await expect(zoneSwitch).toHaveText(zone);
    }
  });

  test("axis of a paused chart has round local times", async ({ page, syntheticHost, dashboard }) => {
    const { url } = await syntheticHost("typical");
    await page.clock.setFixedTime(Date.now());
    await page.setViewportSize({ width: 1440, height: 900 });
    await dashboard.open(3600, url);
    await expect(dashboard.newest).toHaveText("17:44:59");
    await page.getByRole("button", { name: "Pause" }).click();
    const labels = page.locator("#cpu .times text");
    await expect(labels).toHaveText(["17:40", "17:30", "17:20", "17:10", "17:00", "16:50"]);
    // 17:30 is 899 seconds before the end of a view of 3599.
    expect(Number.parseFloat((await labels.nth(1).getAttribute("x"))!)).toBeCloseTo(100 * (1 - 899 / 3599), 1);
  });
});

test("change to daylight saving time within the view moves the times after it", async ({
  dashboard,
  page,
  syntheticHost,
}) => {
  const { url } = await syntheticHost("typical");
  const change = NOON - 30_000;
  await page.addInitScript((change) => {
    Date.prototype.getTimezoneOffset = function () {
      return this.valueOf() < change ? -60 : -120;
    };
  }, change);
  await page.clock.setFixedTime(Date.now());
  await dashboard.open(60, url);
  await expect(dashboard.newest).toHaveText("13:59:59");
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(dashboard.frozenView).toContainText("12:59:00–13:59:59 UTC+2");
});

/** Zone and times that the page shows. */
async function times(page: Page) {
  return page.evaluate(() => {
    const text = (selector: string) => document.querySelector(selector)?.textContent ?? "";
    return {
      zone: text(".zone"),
      newest: text(".newest"),
      footer: /last sample at [\d:]{8} (UTC\S*)/.exec(text(".coverage p"))?.[1]?.replace(/·.*/, ""),
      crosshair: text("#cpu .plot:not(.heat) .crosshair time"),
    };
  });
}
