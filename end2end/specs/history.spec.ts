import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { Server, binary } from "../fixtures/server";
import { expect, test } from "../fixtures/test";

const HOUR = 3_600_000;
const SECOND = 1_000;

let folder: string;
let server: Server;
// The newest imported sample, and a spike of a minute, three hours before.
let end: number;
let spike: number;

/** 26 hours of samples, ten seconds apart: 20 % of CPU, and in the minute of the spike 90 %. */
function samples(): string {
  const lines: string[] = [];
  for (let t = end - 26 * HOUR; t <= end; t += 10 * SECOND) {
    const percent = t >= spike && t < spike + 60 * SECOND ? 90 : 20;
    const values = { "cpu.total_percent": percent, "cpu.user_percent": percent, "load.one": percent / 10 };
    for (const [path, value] of Object.entries(values)) lines.push(`${t},${path},${value}\n`);
  }
  return lines.join("");
}

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hostbeat-history-"));
  end = Math.floor((Date.now() - HOUR) / 60_000) * 60_000;
  spike = end - 3 * HOUR;
  execFileSync(binary, ["import", "--data", folder], { input: samples() });
  server = new Server();
  await server.start("--data", folder, "--history", "30d", "--history-commit", "1s");
});

test.afterAll(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true });
});

const cpu = (page: Page) => page.locator("#cpu .drawing").first();
const figure = (page: Page) => page.locator("#cpu-figure b");
const summary = (page: Page) => page.locator(".summary");
const range = (page: Page) => {
  const { searchParams } = new URL(page.url());
  return [Number(searchParams.get("from")), Number(searchParams.get("to"))] as const;
};

const text = (t: number) => new Date(t).toISOString().slice(0, 19).replace("T", " ");

/** The value of a field for a time, which has no seconds if they are 0. */
const field = (t: number) => text(t).replace(" ", "T").replace(/:00$/, "");

/** Moves the mouse to a moment in the chart of the CPU. */
async function pointAt(page: Page, t: number): Promise<void> {
  const { from, step, steps } = await page.locator(".page").evaluate((page: HTMLElement) => page.dataset);
  const part = (t - Number(from)) / (Number(step) * (Number(steps) - 1));
  const { x, y, width, height } = (await cpu(page).boundingBox())!;
  await page.mouse.move(x + width * part, y + height / 2);
}

test("link to 24 hours leads from the live page to charts with bands", async ({ page }) => {
  await page.goto(server.url);
  await page.getByRole("link", { name: "24 h" }).click();
  await expect(page).toHaveURL(/\?range=24h$/);
  await expect(page.getByRole("link", { name: "24 h" })).toHaveAttribute("aria-current", "true");
  await expect(summary(page)).toContainText("1 d in steps of 2 min");
  await expect(page.locator("#cpu .still svg path").first()).toBeAttached();
  await page.getByRole("navigation", { name: "History" }).getByRole("link", { name: "Live" }).click();
  await expect(page.locator(".link [role=status]")).toHaveText("live");
});

test("page is complete without JavaScript, in UTC", async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, timezoneId: "Asia/Kolkata" });
  const page = await context.newPage();
  await page.goto(`${server.url}/?from=${spike - 570 * SECOND}&to=${spike + 30 * SECOND}`);
  await expect(figure(page)).toHaveText("90.0");
  await expect(summary(page)).toContainText(`${text(spike + 30 * SECOND)} UTC`);
  await page.getByRole("link", { name: "Earlier" }).click();
  await expect(figure(page)).toHaveText("20.0");
  await page.getByLabel("From", { exact: true }).fill(field(spike - HOUR));
  await page.getByLabel("to", { exact: true }).fill(field(spike + 50 * SECOND));
  await page.getByRole("button", { name: "Show" }).click();
  await expect(figure(page)).toHaveText("90.0");
  await context.close();
});

test("moment pointed at shows its values, in the address too", async ({ page }) => {
  await page.goto(`${server.url}/?from=${spike - 300 * SECOND}&to=${spike + 300 * SECOND}`);
  await expect(figure(page)).toHaveText("20.0");
  await pointAt(page, spike + 20 * SECOND);
  await expect(figure(page)).toHaveText("90.0");
  await expect(page.locator("#load-figure b")).toHaveText("9.00");
  expect(new URL(page.url()).searchParams.get("at")).toBe(String(spike + 20 * SECOND));
  await page.reload();
  await expect(figure(page)).toHaveText("90.0");
});

test("drag zooms in, a double click back out, and the browser's buttons follow", async ({ browserLog, page }) => {
  // Of values that are no longer wanted.
  browserLog.allow(/ERR_ABORTED/);
  await page.goto(`${server.url}/?from=${end - 6 * HOUR}&to=${end}`);
  const wide = range(page);
  await pointAt(page, spike - 600 * SECOND);
  await page.mouse.down();
  await pointAt(page, spike + 600 * SECOND);
  await page.mouse.up();
  await expect.poll(() => range(page)[1] - range(page)[0]).toBeLessThan(0.5 * HOUR);
  await expect(summary(page)).toContainText("2 s");
  const [from, to] = range(page);
  expect(from).toBeLessThan(spike);
  expect(to).toBeGreaterThan(spike);
  await cpu(page).dblclick();
  await expect.poll(() => range(page)).toEqual(wide);
  await page.goForward();
  await expect.poll(() => range(page)).toEqual([from, to]);
});

test("keys move the crosshair on a chart, and the range elsewhere", async ({ page }) => {
  await page.goto(`${server.url}/?from=${spike - 300 * SECOND}&to=${spike + 300 * SECOND}`);
  await page.locator("body").press("ArrowRight");
  await expect.poll(() => range(page)).toEqual([spike, spike + 600 * SECOND]);
  await cpu(page).focus();
  await page.keyboard.press("Home");
  await expect(figure(page)).toHaveText("90.0");
  await expect(page.locator("#cpu .spoken")).toContainText("user 90.0 %");
  await page.keyboard.press("-");
  await expect.poll(() => range(page)[1] - range(page)[0]).toBe(1200 * SECOND);
});

test("times are in the reader's zone, and in UTC when that is chosen", async ({ browser }) => {
  const context = await browser.newContext({ timezoneId: "Asia/Kolkata" });
  const page = await context.newPage();
  await page.goto(`${server.url}/?from=${spike - 300 * SECOND}&to=${spike}`);
  const bar = page.getByRole("navigation", { name: "History" });
  await expect(bar).toContainText(`${text(spike + 5.5 * HOUR)} UTC+5:30`);
  await expect(page.getByLabel("to", { exact: true })).toHaveValue(field(spike + 5.5 * HOUR));
  await page.getByRole("button", { name: "Show" }).click();
  await expect.poll(() => range(page)).toEqual([spike - 300 * SECOND, spike]);
  await page.getByRole("button", { name: "Time zone" }).click();
  await expect(bar).toContainText(`${text(spike)} UTC`);
  await context.close();
});

test("range compared with the day before has a grey line, and invalid ones say what would be right", async ({ page, browserLog }) => {
  await page.goto(`${server.url}/?from=${end - HOUR}&to=${end}&compare=1d`);
  await expect(summary(page)).toContainText("the day before in grey");
  await expect(page.locator('#cpu .still path[stroke="var(--grey)"]').first()).toBeAttached();
  browserLog.allow(/400/);
  await page.goto(`${server.url}/?range=2h`);
  await expect(page.locator("main")).toContainText("use 6h, 24h, 7d or 30d");
});

test("seconds that the server sampled have their processes", async ({ page }) => {
  await expect
    .poll(async () => (await fetch(`${server.url}/api/history/processes`)).status, { timeout: 30_000 })
    .toBe(200);
  const now = Math.floor(Date.now() / SECOND) * SECOND;
  await page.goto(`${server.url}/?from=${now - 60 * SECOND}&to=${now}`);
  await expect(page.locator("#processes tbody tr").first()).toBeVisible();
  await page.goto(`${server.url}/?from=${spike}&to=${spike + 60 * SECOND}`);
  await expect(summary(page)).toContainText("no processes were sampled then");
  await expect(page.locator("#processes")).toHaveCount(0);
});

test("page has no accessibility violations", async ({ page }) => {
  await page.goto(`${server.url}/?range=6h`);
  await pointAt(page, end - 600 * SECOND);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`)).toEqual([]);
});
