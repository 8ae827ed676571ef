import { type ChildProcess, spawn } from "node:child_process";
import type { Table } from "../fixtures/dashboard";
import { expect, test as base } from "../fixtures/test";

const NAME = 0;
const CPU = 1;
const MEMORY = 2;
const PID = 8;

/** Starts processes that each keep a core busy until the test ends. */
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

/** Row index of a process in the table, or -1. */
async function rowOf({ pid }: ChildProcess, table: Table): Promise<number> {
  return (await table.column(PID)).indexOf(String(pid));
}

/** Parses a displayed value with its unit into a comparable number. */
function amount(text: string): number {
  const multiples: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
  const [number = "", unit = ""] = text.split(" ");
  return number === "–" ? -1 : Number(number) * (multiples[unit] ?? 1);
}

test("process table is sorted by CPU and shows the stream's processes", async ({ server, dashboard, record, burn }) => {
  const burner = burn();
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  const table = dashboard.table("top-processes");
  await expect.poll(async () => [0, 1].includes(await rowOf(burner, table)), { timeout: 20_000 }).toBe(true);
  await expect(dashboard.page.locator("#processes .empty")).toBeHidden();
  // The page and the recorder receive an event at slightly different times.
  const matchesStream = async () => {
    const shown = [await table.column(NAME), await table.column(PID)].map((column) => column.sort());
    const top = recorder.processes?.top ?? [];
    const sent = [top.map(({ name }) => name), top.map(({ pid }) => `${pid}`)].map((column) => column.sort());
    return JSON.stringify(shown) === JSON.stringify(sent);
  };
  await expect.poll(matchesStream, { timeout: 10_000 }).toBe(true);
  const busy = (await table.column(CPU)).map(amount);
  expect(busy).toEqual([...busy].sort((a, b) => b - a));
  expect(busy[0]).toBeGreaterThan(30);
});

test("sort order and filter survive a reload, and kiosk ignores the filter", async ({ server, dashboard }) => {
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
  const kiosk = await dashboard.page.context().newPage();
  await kiosk.goto(`${server.url}/?kiosk`);
  await expect(kiosk.locator(".drawing.drawn").first()).toBeVisible();
  await expect(kiosk.getByRole("columnheader", { name: "memory", exact: true }).last()).toHaveAttribute(
    "aria-sort",
    "ascending",
  );
  await expect.poll(() => kiosk.locator("#top-processes tbody tr").count()).toBeGreaterThan(3);
  await kiosk.close();
  await table.filter.fill("");
  await expect.poll(() => table.rows.count()).toBeGreaterThan(3);
});

test("rows keep their order while the pointer is over them", async ({ server, dashboard, record, burn }) => {
  const burner = burn();
  const recorder = await record(server.url);
  await dashboard.open(60, server.url);
  const table = dashboard.table("top-processes");
  await expect.poll(() => rowOf(burner, table), { timeout: 20_000 }).toBe(0);

  const pointAt = async (x: number) => {
    const box = (await table.rows.first().boundingBox())!;
    await dashboard.page.mouse.move(box.x + x, box.y + 5);
  };
  await table.rows.first().scrollIntoViewIfNeeded();
  await pointAt(20);
  const before = await table.column(PID);
  burner.kill("SIGSTOP");
  // The idle process stays first while the pointer moves over the rows.
  await expect
    .poll(
      async () => {
        await pointAt(20 + Math.random() * 40);
        expect((await table.column(PID)).slice(0, before.length)).toEqual(before);
        return (await table.column(CPU))[0];
      },
      { timeout: 20_000 },
    )
    .toMatch(/^(–|0\.0 %)$/);
  // It moves below others once the pointer rests.
  const [first] = before;
  await expect
    .poll(async () => (await table.rows.count()) > 3 && (await table.column(PID))[0] !== first, { timeout: 20_000 })
    .toBe(true);
  expect(recorder.processes!.total).toBeGreaterThan(3);
});

test("row trend is in the first response and grows with the stream", async ({ server, dashboard }) => {
  const count = (points: string | null = "") => points!.split(" ").length / 2;
  const rendered = async () => {
    const [, interfaces = ""] = (await (await fetch(server.url)).text()).split('id="interfaces"');
    return count(/>lo<.*?<polyline points="([^"]*)/s.exec(interfaces)?.[1]);
  };
  await expect.poll(rendered).toBeGreaterThan(3);
  await dashboard.open(60, server.url);
  // The page's own traffic goes through lo; a trend without traffic is level and has only two points.
  const lo = dashboard.table("interfaces").rows.filter({ has: dashboard.page.getByText("lo", { exact: true }) });
  const trend = lo.locator(".trend polyline").first();
  const drawn = async () => count(await trend.getAttribute("points"));
  const first = await drawn();
  await expect.poll(drawn, { timeout: 10_000 }).toBeGreaterThan(first + 2);
});

test("process table is served without JavaScript once processes are sampled", async ({ server }) => {
  const names = async () => {
    const html = await (await fetch(server.url)).text();
    const [, processes = ""] = html.split('id="top-processes"');
    return [...processes.matchAll(/<th scope="row"[^>]*><span>([^<]*)/g)].map(([, name]) => name);
  };
  expect(await names()).toEqual([]);
  await expect.poll(names, { timeout: 20_000, intervals: [500] }).toContain("hostbeat");
});

test("tables fit their panels at every width", async ({ syntheticHost, page }) => {
  const { url } = await syntheticHost("typical");
  for (const choice of ["", "?kiosk", "?panels=network,disk,processes"]) {
    await page.goto(`${url}/${choice}`);
    for (const width of [320, 390, 560, 768, 1024, 1280, 1366, 1600]) {
      await page.setViewportSize({ width, height: 900 });
      const wider = page
        .locator(".devices")
        .evaluateAll((tables) =>
          tables.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ id }) => id),
        );
      expect(await wider, `${choice} at ${width} pixels`).toEqual([]);
    }
  }
});

test("headings show the sort direction and stay above scrolled rows", async ({ syntheticHost, page }) => {
  const { url } = await syntheticHost("large");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(url);
  await expect(page.locator(".drawing.drawn").first()).toBeVisible();
  const table = page.locator("#interfaces");
  const heading = table.locator("thead button", { hasText: /^in$/ });
  const arrow = () => heading.evaluate((button) => getComputedStyle(button, "::after").content[1]);
  await heading.click();
  await expect.poll(arrow).toBe("↓");
  await heading.click();
  await expect.poll(arrow).toBe("↑");
  await heading.scrollIntoViewIfNeeded();
  const uncovered = await table.evaluate((table) => {
    const button = table.querySelector("thead th:nth-child(2) button")!;
    return Array.from({ length: 50 }, (_, step) => {
      table.scrollTop = step * 4;
      const { x, y, width, height } = button.getBoundingClientRect();
      return document.elementFromPoint(x + width / 2, y + height / 2)!.closest("th, td")!.tagName;
    }).filter((name) => name !== "TH");
  });
  expect(uncovered).toEqual([]);
});
