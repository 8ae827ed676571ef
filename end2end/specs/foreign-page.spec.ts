import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "@playwright/test";
import { Attacker } from "../fixtures/attacker";
import { expect, test } from "../fixtures/test";

test.beforeEach(({ browserLog }) => browserLog.allow(/./));

test("page of another site reads and changes nothing of a reader who is signed in", async ({
  data,
  page,
  securedServer,
}) => {
  const attacker = new Attacker();
  const foreign = `http://127.0.0.2:${await attacker.start()}/`;
  await page.goto(securedServer.url);
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.locator(".account summary")).toHaveText("ann");

  await page.goto(foreign);
  const read = await page.evaluate(async (victim) => {
    const outcome = async (name: string, attempt: Promise<string>) => [name, await attempt.catch(() => "refused")];
    const loads = (element: HTMLElement & { src: string }, path: string) =>
      new Promise<string>((settle) => {
        element.onload = () => settle("loaded");
        element.onerror = () => settle("refused");
        element.src = victim + path;
        document.documentElement.append(element);
      });
    const fetched = (path: string, init: RequestInit) =>
      fetch(victim + path, { credentials: "include", ...init }).then((response) => response.text());
    const streamed = new Promise<string>((settle) => {
      const source = new EventSource(`${victim}/api/stream`, { withCredentials: true });
      source.onopen = () => settle("open");
      source.onerror = () => settle("refused");
    });
    const paths = ["/", "/settings", "/api/snapshot", "/api/stream", "/metrics", "/chart/cpu.svg", "/readyz"];
    const attempts = [
      ...paths.map((path) => outcome(`fetch ${path}`, fetched(path, {}))),
      ...paths.map((path) => outcome(`opaque fetch ${path}`, fetched(path, { mode: "no-cors" }).then((text) => text || "refused"))),
      outcome("ticket", fetched("/api/tickets", { method: "POST" })),
      outcome("events", streamed),
      outcome("image", loads(new Image(), "/chart/cpu.svg")),
      outcome("script", loads(document.createElement("script"), "/api/snapshot")),
    ];
    return Promise.all(attempts);
  }, securedServer.url);
  expect(read.filter(([, outcome]) => outcome !== "refused")).toEqual([]);

  await page.evaluate((victim) => {
    const frame = document.createElement("iframe");
    frame.src = victim;
    document.documentElement.append(frame);
    return new Promise((settle) => (frame.onload = settle));
  }, securedServer.url);
  await expect(page.frameLocator("iframe").getByRole("heading")).toHaveCount(0);

  const forms = [
    { path: "/sign-out", fields: {} },
    { path: "/settings", fields: { action: "remove-user", name: "ann" } },
    { path: "/sign-in", fields: { name: "ann", password: "correct horse" } },
  ];
  for (const form of forms) {
    await page.goto(foreign);
    const answer = page.waitForResponse((response) => response.url() === securedServer.url + form.path);
    await page.evaluate(
      ([action, fields]) => {
        const form = Object.assign(document.createElement("form"), { action, method: "post" });
        for (const [name, value] of Object.entries(fields))
          form.append(Object.assign(document.createElement("input"), { name, value }));
        document.documentElement.append(form);
        form.submit();
      },
      [securedServer.url + form.path, form.fields] as const,
    );
    expect((await answer).status(), form.path).toBeGreaterThanOrEqual(400);
    await page.waitForURL(securedServer.url + form.path);
  }
  await page.goto(securedServer.url);
  await expect(page.locator(".account summary")).toHaveText("ann");
  expect(data.run("user list")).toContain("ann");
  attacker.stop();
});

test("page whose name comes to lead to this host reads nothing", async ({ server }) => {
  const folder = mkdtempSync(join(tmpdir(), "hostbeat-hosts-"));
  const hosts = join(folder, "hosts");
  // A browser turns to a name's second address once the first one refuses connections.
  writeFileSync(hosts, "127.0.0.2 rebound.test\n127.0.0.1 rebound.test\n");
  const { port } = new URL(server.url);
  const attacker = new Attacker();
  await attacker.start(Number(port));
  const { executablePath, args } = test.info().project.use.launchOptions!;
  const browser = await chromium.launch({
    // The resolver of the system, which knows all addresses of a name; Chromium's own reads the first of a file.
    args: [...args!, "--disable-features=AsyncDns"],
    executablePath: resolve(import.meta.dirname, "../fixtures/chromium-with-hosts.sh"),
    env: { ...process.env, HOSTS: hosts, CHROMIUM: executablePath! },
  });
  const page = await browser.newPage();
  await page.goto(`http://rebound.test:${port}/`);
  attacker.stop();

  const status = () => page.evaluate(() => fetch("/api/snapshot").then(({ status }) => status, () => 0));
  await expect.poll(status, { timeout: 30_000 }).toBe(421);
  const read = await page.evaluate(async () => {
    const texts = ["/", "/api/snapshot", "/metrics"].map(async (path) => (await fetch(path)).text());
    const streamed = new Promise<string>((settle) => {
      const source = new EventSource("/api/stream");
      source.onopen = () => settle("open");
      source.onerror = () => settle("refused");
    });
    return { texts: await Promise.all(texts), streamed: await streamed };
  });
  expect(read.streamed).toBe("refused");
  for (const text of read.texts) {
    expect(text).toContain("--allow-host rebound.test");
    expect(text).not.toContain("cpu");
  }
  await browser.close();
  rmSync(folder, { recursive: true });
});
