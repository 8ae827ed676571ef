import { type ChildProcess, spawn } from "node:child_process";
import type { Table } from "../fixtures/dashboard";
import { expect, test as base } from "../fixtures/test";

const NAME = 0;
const CPU = 1;
const MEMORY = 2;
const PID = 8;

/** Processes that do nothing but take a core, until the test ends. */
const test = base.extend<{ burn: () => ChildProcess }>({
  burn: async ({}, use) => {
    const burners: ChildProcess[] = [];
    await use(() => {
      const burner = spawn("sh", ["-c", "while :; do :; done"], { stdio: "ignore" });
      burners.push(burner);
      return burner;
    });
    for (const burner of burners) burner.kill("SIGKILL");
  },
});

/** Where a process stands in the table; -1 if it doesn't. */
async function placeOf({ pid }: ChildProcess, table: Table): Promise<number> {
  return (await table.column(PID)).indexOf(String(pid));
}

/** A figure with its unit as a number, so that figures can be compared. */
function amount(text: string): number {
  const multiples: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
  const [number = "", unit = ""] = text.split(" ");
  return number === "–" ? -1 : Number(number) * (multiples[unit] ?? 1);
}

test("who takes the processor comes first, with the figures of the stream", async ({
  server,
  dashboard,
  record,
  burn,
}) => {
  const burner = burn();
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  const table = dashboard.table("top-processes");
  await expect.poll(async () => [0, 1].includes(await placeOf(burner, table)), { timeout: 20_000 }).toBe(true);
  await expect(dashboard.page.locator("#processes .empty")).toBeHidden();
  // The page shows what the stream has brought last, once it has come to both.
  const isStreams = async () => {
    const shown = [await table.column(NAME), await table.column(PID)].map((column) => column.sort());
    const top = recorder.processes?.top ?? [];
    const sent = [top.map(({ name }) => name), top.map(({ pid }) => `${pid}`)].map((column) => column.sort());
    return JSON.stringify(shown) === JSON.stringify(sent);
  };
  await expect.poll(isStreams, { timeout: 10_000 }).toBe(true);
  const busy = (await table.column(CPU)).map(amount);
  expect(busy).toEqual([...busy].sort((a, b) => b - a));
  expect(busy[0]).toBeGreaterThan(30);
});

test("a table is sorted, filtered, and left as it was", async ({ server, dashboard }) => {
  await dashboard.open(60, server.url);
  const table = dashboard.table("top-processes");
  await expect.poll(() => table.rows.count(), { timeout: 20_000 }).toBeGreaterThan(3);

  await table.sortBy("memory");
  await expect(table.heading("memory")).toHaveAttribute("aria-sort", "descending");
  await expect(table.heading("CPU")).toHaveAttribute("aria-sort", "none");
  const sizes = (await table.column(MEMORY)).map(amount);
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  await table.sortBy("memory");
  await expect(table.heading("memory")).toHaveAttribute("aria-sort", "ascending");

  await table.filter.fill("HOSTBEAT");
  await expect.poll(async () => [...new Set(await table.column(NAME))]).toEqual(["hostbeat"]);
  await dashboard.page.reload();
  await expect(table.heading("memory")).toHaveAttribute("aria-sort", "ascending");
  await expect(table.filter).toHaveValue("HOSTBEAT");
  await expect.poll(async () => [...new Set(await table.column(NAME))]).toEqual(["hostbeat"]);

  await table.filter.fill("no process has this name");
  await expect(table.rows).toHaveCount(0);
  const wall = await dashboard.page.context().newPage();
  await wall.goto(`${server.url}/?kiosk`);
  await expect(wall.locator(".drawing.drawn").first()).toBeVisible();
  await expect(wall.getByRole("columnheader", { name: "memory", exact: true }).last()).toHaveAttribute("aria-sort", "ascending");
  await expect.poll(() => wall.locator("#top-processes tbody tr").count()).toBeGreaterThan(3);
  await wall.close();
  await table.filter.fill("");
  await expect.poll(() => table.rows.count()).toBeGreaterThan(3);
});

test("rows stay where they are while somebody points at them", async ({ server, dashboard, record, burn }) => {
  const burner = burn();
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  const table = dashboard.table("top-processes");
  await expect.poll(() => placeOf(burner, table), { timeout: 20_000 }).toBe(0);

  const pointed = async (x: number) => {
    const box = (await table.rows.first().boundingBox())!;
    await dashboard.page.mouse.move(box.x + x, box.y + 5);
  };
  await table.rows.first().scrollIntoViewIfNeeded();
  await pointed(20);
  const before = await table.column(PID);
  burner.kill("SIGSTOP");
  // It does nothing now, and stands first all the same as long as the pointer is in use.
  await expect
    .poll(
      async () => {
        await pointed(20 + Math.random() * 40);
        expect((await table.column(PID)).slice(0, before.length)).toEqual(before);
        return (await table.column(CPU))[0];
      },
      { timeout: 20_000 },
    )
    .toMatch(/^(–|0\.0 %)$/);
  // Left alone, it sinks, below others.
  const [first] = before;
  await expect
    .poll(async () => (await table.rows.count()) > 3 && (await table.column(PID))[0] !== first, { timeout: 20_000 })
    .toBe(true);
  expect(recorder.processes!.total).toBeGreaterThan(3);
});

test("every row has its last minute beside it, from the first response on", async ({ server, dashboard }) => {
  const count = (points: string | null = "") => points!.split(" ").length / 2;
  const rendered = async () => {
    const [, interfaces = ""] = (await (await fetch(server.url)).text()).split('id="interfaces"');
    return count(/>lo<.*?<polyline points="([^"]*)/s.exec(interfaces)?.[1]);
  };
  await expect.poll(rendered).toBeGreaterThan(3);
  await dashboard.open(60, server.url);
  // What the page is sent goes through it: no other is sure to carry anything, and a level line has only ends.
  const lo = dashboard.table("interfaces").rows.filter({ has: dashboard.page.getByText("lo", { exact: true }) });
  const trend = lo.locator(".trend polyline").first();
  const drawn = async () => count(await trend.getAttribute("points"));
  const first = await drawn();
  await expect.poll(drawn, { timeout: 10_000 }).toBeGreaterThan(first + 2);
});

test("processes are there without JavaScript too", async ({ server }) => {
  const names = async () => {
    const html = await (await fetch(server.url)).text();
    const [, processes = ""] = html.split('id="top-processes"');
    return [...processes.matchAll(/<th scope="row"[^>]*><span>([^<]*)/g)].map(([, name]) => name);
  };
  expect(await names()).toEqual([]);
  await expect.poll(names, { timeout: 20_000, intervals: [500] }).toContain("hostbeat");
});

test("no table is wider than its panel", async ({ syntheticHost, page }) => {
  const { url } = await syntheticHost("usual");
  for (const choice of ["", "?kiosk", "?panels=network,disk,processes"]) {
    await page.goto(`${url}/${choice}`);
    for (const width of [320, 390, 560, 768, 1024, 1280, 1366, 1600]) {
      await page.setViewportSize({ width, height: 900 });
      const wider = page.locator(".devices").evaluateAll((tables) =>
        tables.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ id }) => id),
      );
      expect(await wider, `${choice} at ${width} pixels`).toEqual([]);
    }
  }
});

test("headings tell how they sort, and stay above what is scrolled below them", async ({ syntheticHost, page }) => {
  const { url } = await syntheticHost("large");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(url);
  await expect(page.locator(".drawing.drawn").first()).toBeVisible();
  const table = page.locator("#interfaces");
  const heading = table.locator("thead button", { hasText: /^in$/ });
  const sign = () => heading.evaluate((button) => getComputedStyle(button, "::after").content[1]);
  await heading.click();
  await expect.poll(sign).toBe("↓");
  await heading.click();
  await expect.poll(sign).toBe("↑");
  await heading.scrollIntoViewIfNeeded();
  const covered = await table.evaluate((table) => {
    const button = table.querySelector("thead th:nth-child(2) button")!;
    return Array.from({ length: 50 }, (_, step) => {
      table.scrollTop = step * 4;
      const { x, y, width, height } = button.getBoundingClientRect();
      return document.elementFromPoint(x + width / 2, y + height / 2)!.closest("th, td")!.tagName;
    }).filter((name) => name !== "TH");
  });
  expect(covered).toEqual([]);
});
