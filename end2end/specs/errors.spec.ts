import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/test";

interface Refusal {
  what: string;
  path: string;
  status: number;
  title: string;
  /** What the message tells to do instead. */
  detail: RegExp;
  method?: string;
  headers?: Record<string, string>;
}

const LONG = { "x-long": "x".repeat(20_000) };

const PAGES: Refusal[] = [
  {
    what: "a window that there is not",
    path: "/?window=7",
    status: 400,
    title: "Unknown window",
    detail: /60, 300, 900 or 3600/,
  },
  {
    what: "an unknown address",
    path: "/nothing-here",
    status: 404,
    title: "There is nothing here",
    detail: /dashboard is at \//,
  },
  {
    what: "a method that does not apply",
    path: "/",
    method: "POST",
    status: 405,
    title: "Method not allowed",
    detail: /GET and HEAD, not POST/,
  },
  {
    what: "an oversized head",
    path: "/",
    headers: LONG,
    status: 431,
    title: "Request head too large",
    detail: /at most 16384/,
  },
];

const API: Refusal[] = [
  {
    what: "a window beyond the retention",
    path: "/api/stream?window=9999",
    status: 400,
    title: "Unknown query value",
    detail: /0 to 3600/,
  },
  {
    what: "an unknown event",
    path: "/api/stream?events=gpu",
    status: 400,
    title: "Unknown query value",
    detail: /cpu, memory, load/,
  },
  {
    what: "an unknown address",
    path: "/api/nothing-here",
    status: 404,
    title: "There is nothing here",
    detail: /stream at \/api\/stream/,
  },
  {
    what: "a method that does not apply",
    path: "/api/stream",
    method: "POST",
    status: 405,
    title: "Method not allowed",
    detail: /GET and HEAD, not POST/,
  },
  {
    what: "another type than the stream's",
    path: "/api/stream",
    headers: { accept: "text/html" },
    status: 406,
    title: "Not acceptable",
    detail: /text\/event-stream/,
  },
  {
    what: "an oversized head",
    path: "/api/stream",
    headers: LONG,
    status: 431,
    title: "Request head too large",
    detail: /at most 16384/,
  },
];

test.afterEach("the server still answers", async ({ request }) => {
  expect((await request.get("/")).status()).toBe(200);
});

for (const { what, path, status, title, detail, ...request } of PAGES)
  test(`${what} is answered with a page that says so`, async ({ page, complaints }) => {
    complaints.expect(new RegExp(`status of ${status}`));
    // Only what is asked for first is out of order, not the stylesheet that follows.
    await page.route("**/*", (route) => route.continue(request), { times: 1 });
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

for (const { what, path, status, title, detail, method = "GET", headers } of API)
  test(`${what} under /api/ is answered with a problem document`, async ({ request }) => {
    const response = await request.fetch(path, { method, headers });
    expect(response.status()).toBe(status);
    expect(response.headers()["content-type"]).toBe("application/problem+json");
    if (status === 405) expect(response.headers()["allow"]).toBe("GET,HEAD,OPTIONS");
    expect(await response.json()).toEqual({ status, title, detail: expect.stringMatching(detail) });
  });

async function isStyled(page: Page): Promise<boolean> {
  return page.locator("main").evaluate((main) => getComputedStyle(main).maxWidth !== "none");
}
