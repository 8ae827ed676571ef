import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "../fixtures/test";

for (const colorScheme of ["light", "dark"] as const)
  for (const width of [390, 1440])
    test.describe(`${width} pixels wide, ${colorScheme}`, () => {
      test.use({ viewport: { width, height: 900 }, colorScheme });

      test("axe finds nothing to complain of", async ({ dashboard, page }) => {
        for (const path of ["/?window=60", "/?kiosk", "/embed/cpu"]) {
          await page.goto(path);
          await expect(page.locator(".drawing.drawn").first()).toBeVisible();
          if (!path.startsWith("/embed")) await expect(dashboard.table("top-processes").rows.first()).toBeVisible();
          const { violations } = await new AxeBuilder({ page }).analyze();
          expect(violations.map(({ id, nodes }) => `${path} ${id}: ${nodes[0]!.html}`)).toEqual([]);
        }
      });

      test("nor when something is wrong with the host", async ({ dashboard, page, recorded }) => {
        const { url } = await recorded("unwell");
        await dashboard.open(60, url);
        await expect(page.locator(".verdict")).toHaveText("Unhealthy. The disk nvme0n1 is slow. Since 11:59.");
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
      });
    });
