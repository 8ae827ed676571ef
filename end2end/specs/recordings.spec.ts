import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { Server } from "../fixtures/server";
import { expect, test } from "../fixtures/test";

/** A file for a ticket or a mail, in bytes. */
const MAX_FILE = 500_000;

let folder: string;
let server: Server;

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hostbeat-recordings-"));
  server = new Server();
  await server.start("--data", folder, "--history", "30d", "--history-commit", "1s");
  await expect
    .poll(async () => (await fetch(`${server.url}/api/history/processes`)).status, { timeout: 30_000 })
    .toBe(200);
});

test.afterAll(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true });
});

/** Begins a recording with the form, which leads to its page. */
async function record(page: Page, title: string): Promise<void> {
  await page.goto(`${server.url}/recordings`);
  await page.getByLabel("Title").fill(title);
  await page.getByRole("button", { name: /^Record the/ }).click();
  await expect(page).toHaveURL(/\/recordings\/[0-9a-f]+$/);
  await expect(page.getByRole("heading", { name: title })).toBeVisible();
}

test("recording that a reader begins has a page, a note, and a place in the list", async ({ page, browserLog }) => {
  // Through the service worker, the browser logs the redirect of a form as aborted.
  browserLog.allow(/ERR_ABORTED/);
  await page.goto(server.url);
  await page.getByRole("link", { name: "Recordings" }).click();
  await record(page, "checkout is slow");
  await expect(page.locator("#cpu .still svg path").first()).toBeAttached();
  await expect(page.getByRole("region", { name: "checkout is slow" })).toContainText("10 min, recorded by local");
  await page.getByText("Title and note").click();
  await page.getByLabel("Note").fill("<b>the shop</b>\nwas restarted");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".note")).toHaveText("<b>the shop</b>\nwas restarted");
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`)).toEqual([]);

  await page.getByRole("link", { name: "All recordings" }).click();
  const entry = page.getByRole("listitem").filter({ hasText: "checkout is slow" });
  await expect(entry).toHaveCount(1);
  await entry.getByRole("link").click();
  await page.getByText("Title and note").click();
  await page.getByRole("button", { name: "Delete the recording" }).click();
  await expect(page).toHaveURL(/\/recordings$/);
  await expect(entry).toHaveCount(0);
});

test("downloaded recording opens from the disk without a network and without scripts", async ({ browser, page, browserLog }) => {
  browserLog.allow(/ERR_ABORTED/);
  await record(page, "disk is busy");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download as one file" }).click(),
  ]);
  const file = join(folder, download.suggestedFilename());
  await download.saveAs(file);
  expect(statSync(file).size).toBeLessThan(MAX_FILE);

  const context = await browser.newContext({ javaScriptEnabled: false, offline: true });
  const saved = await context.newPage();
  const requests: string[] = [];
  saved.on("request", (request) => requests.push(request.url()));
  await saved.goto(`file://${file}`);
  await expect(saved.getByRole("heading", { name: "disk is busy" })).toBeVisible();
  expect(await saved.locator(".drawing .still svg path").count()).toBeGreaterThan(5);
  await expect(saved.locator("#processes tbody tr").first()).toBeVisible();
  expect(await saved.locator("script, link, form").count()).toBe(0);
  const background = await saved.locator(".panel").first().evaluate((panel) => getComputedStyle(panel).backgroundColor);
  expect(background).toBe("rgb(255, 255, 255)");
  expect(requests).toEqual([`file://${file}`]);
  const [values] = await Promise.all([
    saved.waitForEvent("download"),
    saved.getByRole("link", { name: /as CSV/ }).click(),
  ]);
  expect(values.suggestedFilename()).toMatch(/\.csv\.gz$/);
  await context.close();
});

test("moment of a recording that is pointed at shows its values", async ({ page, browserLog }) => {
  browserLog.allow(/ERR_ABORTED/);
  await record(page, "queue is long");
  const { x, y, width, height } = (await page.locator("#cpu .drawing").first().boundingBox())!;
  await page.mouse.move(x + width * 0.49, y + height / 2);
  await expect(page).toHaveURL(/\?at=\d+$/);
  const at = Number(new URL(page.url()).searchParams.get("at"));
  await expect(page.locator(".summary time")).toHaveText(new Date(at).toISOString().slice(0, 19).replace("T", " "));
});
