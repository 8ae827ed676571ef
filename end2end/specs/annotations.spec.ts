import { DataFolder, Server } from "../fixtures/server";
import { expect, test as base } from "../fixtures/test";

/** A server that keeps what is written. */
const test = base.extend<{ keeper: Server }>({
  keeper: async ({ page }, use) => {
    const [server, data] = [new Server(), new DataFolder()];
    await server.start(...data.flags);
    await use(server);
    await page.close();
    await server.kill();
    data.remove();
  },
});

async function annotate(server: Server, annotation: object) {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify(annotation);
  const response = await fetch(new URL("/api/annotations", server.url), { method: "POST", headers, body });
  expect(response.status).toBe(201);
  return (await response.json()) as { id: string };
}

test("an annotation is listed on an open page, told by the crosshair, and gone once removed", async ({ page, keeper }) => {
  await page.goto(keeper.url);
  const drawing = page.locator("#load .drawing.drawn");
  await expect(drawing).toBeVisible();
  const title = "<b>deploy</b> 1.42";
  const [t, until] = [Date.now() - 20_000, Date.now()];
  const { id } = await annotate(keeper, { title, text: "by alice", level: "warning", t, until, tags: ["shop"] });
  const entry = page.locator(".spans li", { hasText: title });
  const text = /^\d\d:\d\d:\d\d–\d\d:\d\d:\d\d warning: <b>deploy<\/b> 1\.42 · by alice$/;
  await expect(entry).toHaveText(text, { timeout: 3_000 });

  const box = (await drawing.boundingBox())!;
  await drawing.hover({ position: { x: box.width * 0.97, y: box.height / 2 } });
  await expect(page.locator("#load .crosshair time")).toContainText(title);
  await page.mouse.move(0, 0);
  await drawing.focus();
  for (const key of ["ArrowLeft", "PageUp"]) await page.keyboard.press(key);
  await expect(page.locator("#load .spoken")).toContainText(title);

  await page.reload();
  await expect(entry).toBeVisible();
  await expect(page.locator("#load .still rect[fill='var(--amber)']").first()).toBeAttached();

  await fetch(new URL(`/api/annotations/${id}`, keeper.url), { method: "DELETE" });
  await expect(entry).toHaveCount(0, { timeout: 3_000 });
});

test("annotations are readable without JavaScript", async ({ browser, keeper }) => {
  await annotate(keeper, { title: "backup", t: Date.now() - 20_000, until: Date.now() - 10_000 });
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await expect(async () => {
    await page.goto(keeper.url);
    await expect(page.locator(".spans li", { hasText: "backup" })).toContainText("–", { timeout: 200 });
  }).toPass({ timeout: 5_000 });
  await context.close();
});
