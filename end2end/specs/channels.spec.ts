import { expect, test } from "../fixtures/test";
import { DataFolder, Server } from "../fixtures/server";

/** Publishes values once a quarter of a second until the test ends, as a shell loop with curl would. */
function publishing(server: Server, channel: string, values: () => Record<string, number>) {
  const publish = async () => {
    const body = JSON.stringify({ channel, values: values() });
    const headers = { "content-type": "application/json" };
    await fetch(new URL("/api/publish", server.url), { method: "POST", headers, body }).catch(() => undefined);
  };
  const timer = setInterval(() => void publish(), 250);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

test("published values make a chart on an open page, with history after a reload", async ({ page, server, browserLog }) => {
  await page.goto(server.url);
  await expect(page.locator("#cpu .drawing.drawn").first()).toBeVisible();
  let orders = 40;
  using _ = publishing(server, "shop", () => ({ orders_per_minute: (orders += 0.5), basket_eur: 19.9 }));
  const panel = page.locator("#shop");
  await expect(panel.locator(".drawing.drawn")).toBeVisible({ timeout: 5_000 });
  await expect(panel.getByRole("heading", { name: "Shop", exact: true })).toBeVisible();
  await expect(panel.getByRole("button", { name: /basket eur/ })).toContainText("19.9");
  const value = panel.getByRole("button", { name: /orders per minute/ });
  const before = await value.textContent();
  await expect(value).not.toHaveText(before!, { timeout: 5_000 });

  await page.reload();
  await expect(panel.locator(".still path").first()).toBeAttached();
  browserLog.allow(/ERR_|aborted/i);
});

test("declared title, unit and limits are shown, and hostile ones are text", async ({ page, browserLog }) => {
  // A page that does not have the title yet is left before it is loaded.
  browserLog.allow(/ERR_ABORTED/);
  const [server, data] = [new Server(), new DataFolder()];
  await server.start(...data.flags);
  const title = "<img src=x onerror=alert(1)> & co";
  const declaration = { title, unit: "€</script>", kind: "stacked", warning: 10, critical: 30 };
  const headers = { "content-type": "application/json" };
  const address = new URL("/api/channels/shop", server.url);
  const declared = await fetch(address, { method: "PUT", headers, body: JSON.stringify(declaration) });
  expect(declared.status).toBe(201);
  {
    using _ = publishing(server, "shop", () => ({ basket_eur: 20 }));
    await expect(async () => {
      await page.goto(server.url);
      await expect(page.locator("#shop h2")).toHaveText(title, { timeout: 500 });
    }).toPass({ timeout: 10_000 });
    await expect(page.locator("#shop .figure")).toContainText("€</script>");
    await expect(page.locator("#shop .drawing.drawn")).toBeVisible();
    expect(await page.locator("#shop img").count()).toBe(0);
    // The limit at 10, and none above the top of the chart.
    await expect(page.locator("#shop .still path[stroke='var(--amber)']")).toHaveCount(1);
  }
  await page.close();
  await server.kill();
  data.remove();
});

test("a panel of a channel can be embedded, and drawn as an image", async ({ page, server, browserLog }) => {
  browserLog.allow(/status of 404/);
  using _ = publishing(server, "shop", () => ({ orders: 7 }));
  await expect(async () => {
    const response = await page.goto(new URL("/embed/shop", server.url).href);
    expect(response!.status()).toBe(200);
  }).toPass({ timeout: 10_000 });
  await expect(page.locator("#shop .drawing.drawn")).toBeVisible();
  const image = await fetch(new URL("/chart/shop.svg", server.url));
  expect(image.status).toBe(200);
  expect(await image.text()).toContain("Shop 7");
});
