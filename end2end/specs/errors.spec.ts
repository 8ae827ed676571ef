import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/test";

interface Rejection {
  name: string;
  path: string;
  status: number;
  title: string;
  /** Advice in the message. */
  detail: RegExp;
  method?: string;
  headers?: Record<string, string>;
}

const LONG = { "x-long": "x".repeat(20_000) };

const PAGES: Rejection[] = [
  {
    name: "unknown window",
    path: "/?window=7",
    status: 400,
    title: "Unknown window",
    detail: /60, 300, 900 or 3600/,
  },
  {
    name: "unknown path",
    path: "/nothing-here",
    status: 404,
    title: "Not found",
    detail: /dashboard is at \//,
  },
  {
    name: "unsupported method",
    path: "/",
    method: "POST",
    status: 405,
    title: "Method not allowed",
    detail: /not POST/,
  },
  {
    name: "oversized head",
    path: "/",
    headers: LONG,
    status: 431,
    title: "Request head too large",
    detail: /at most 16384/,
  },
];

const API: Rejection[] = [
  {
    name: "window beyond the retention",
    path: "/api/stream?window=9999",
    status: 400,
    title: "Unknown query value",
    detail: /0 to 3600/,
  },
  {
    name: "unknown event",
    path: "/api/stream?events=gpu",
    status: 400,
    title: "Unknown query value",
    detail: /cpu, memory, load/,
  },
  {
    name: "unknown path",
    path: "/api/nothing-here",
    status: 404,
    title: "Not found",
    detail: /stream at \/api\/stream/,
  },
  {
    name: "unsupported method",
    path: "/api/stream",
    method: "POST",
    status: 405,
    title: "Method not allowed",
    detail: /not POST/,
  },
  {
    name: "unacceptable media type",
    path: "/api/stream",
    headers: { accept: "text/html" },
    status: 406,
    title: "Not acceptable",
    detail: /text\/event-stream/,
  },
  {
    name: "oversized head",
    path: "/api/stream",
    headers: LONG,
    status: 431,
    title: "Request head too large",
    detail: /at most 16384/,
  },
];

test.afterEach("server still responds", async ({ request }) => {
  expect((await request.get("/")).status()).toBe(200);
});

for (const { name, path, status, title, detail, ...overrides } of PAGES)
  test(`${name} gets an error page`, async ({ page, browserLog }) => {
    browserLog.allow(new RegExp(`status of ${status}`));
    // Changes the page request alone, not the assets that follow.
    await page.route("**/*", (route) => route.continue(overrides), { times: 1 });
    const response = await page.goto(path);
    expect(response!.status()).toBe(status);
    expect(response!.headers()["content-type"]).toBe("text/html; charset=utf-8");
    if (status === 405) expect(response!.headers()["allow"]).toBe("GET,HEAD");
    await expect(page).toHaveTitle(`${title} · Hostbeat`);
    await expect(page.getByRole("heading")).toHaveText(title);
    await expect(page.getByText(String(status), { exact: true })).toBeVisible();
    await expect(page.getByText(detail)).toBeVisible();
    expect(await isStyled(page)).toBe(true);
    await page.getByRole("link", { name: "Go to the dashboard" }).click();
    await expect(page.locator(".link").getByRole("status")).toHaveText("live");
  });

for (const { name, path, status, title, detail, method = "GET", headers } of API)
  test(`${name} under /api/ gets a problem document`, async ({ request }) => {
    const response = await request.fetch(path, { method, headers });
    expect(response.status()).toBe(status);
    expect(response.headers()["content-type"]).toBe("application/problem+json");
    if (status === 405) expect(response.headers()["allow"]).toBe("GET,HEAD,OPTIONS");
    expect(await response.json()).toEqual({ status, title, detail: expect.stringMatching(detail) });
  });

async function isStyled(page: Page): Promise<boolean> {
  return page.locator("main").evaluate((main) => getComputedStyle(main).maxWidth !== "none");
}
