import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "../fixtures/test";

for (const colorScheme of ["light", "dark"] as const)
  for (const width of [390, 1440])
    test.describe(`${width} pixels wide, ${colorScheme}`, () => {
      test.use({ viewport: { width, height: 900 }, colorScheme });

      test("page of a healthy host has no axe violations", async ({ dashboard, page }) => {
        for (const path of ["/?window=60", "/?kiosk", "/embed/cpu"]) {
          await page.goto(path);
          await expect(page.locator(".drawing.drawn").first()).toBeVisible();
          if (!path.startsWith("/embed")) await expect(dashboard.table("top-processes").rows.first()).toBeVisible();
          const { violations } = await new AxeBuilder({ page }).analyze();
          expect(violations.map(({ id, nodes }) => `${path} ${id}: ${nodes[0]!.html}`)).toEqual([]);
        }
      });

      test("page of an unreachable server has no axe violations", async ({ browserLog, dashboard, page, server }) => {
        browserLog.allow(/ERR_/);
        await dashboard.open(60, server.url);
        await expect(dashboard.indicator).toHaveText("live");
        await server.kill();
        await expect(page.locator("div.page")).toHaveClass(/behind/, { timeout: 20_000 });
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
      });

      test("page of a host in trouble has no axe violations", async ({ dashboard, page, syntheticHost }) => {
        const { url } = await syntheticHost("unhealthy");
        await dashboard.open(60, url);
        await expect(page.locator(".verdict")).toHaveText(
          "Unhealthy. Disk nvme0n1 slow: 400 ms per request. Since 11:59 UTC.",
        );
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
      });
    });

for (const width of [390, 768, 1440])
  test(`controls are at least 24 pixels wide and high, and apart, at ${width} pixels`, async ({
    dashboard,
    page,
    syntheticHost,
  }) => {
    const { url } = await syntheticHost("typical");
    await page.setViewportSize({ width, height: 900 });
    await dashboard.open(60, url);
    await expect(page.locator("#cpu .drawn")).toHaveCount(2);
    await page.getByRole("button", { name: "Pause" }).click();
    const faults = await page.locator("a, button, input").evaluateAll((controls) => {
      const boxes = controls.flatMap((of) => {
        const box = of.getBoundingClientRect();
        return box.width > 0 ? [{ box, name: of.textContent, floats: of.closest(".held") !== null }] : [];
      });
      const small = boxes.filter(({ box }) => Math.min(box.width, box.height) < 24);
      const overlapping = boxes.filter((a, i) =>
        boxes.slice(i + 1).some((b) => {
          const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
          const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
          return a.floats === b.floats && Math.min(across, down) > 0.5;
        }),
      );
      return [...small, ...overlapping].map(({ box, name }) => `${name}: ${box.width} × ${box.height}`);
    });
    expect(faults).toEqual([]);
  });
