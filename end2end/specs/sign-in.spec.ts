import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/test";

// The browser logs every response that refuses.
test.beforeEach(({ browserLog }) => browserLog.allow(/status of (400|401|404)|ERR_|net::/));

async function signIn(page: Page, password = "correct horse"): Promise<void> {
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

test("reader who signs in comes back to the view that was asked for", async ({ dashboard, page, securedServer }) => {
  await page.goto(`${securedServer.url}/?window=60&panels=cpu,memory`);
  await expect(page).toHaveTitle("Sign in · Hostbeat");
  await expect(page.getByLabel("Name")).toBeFocused();
  await signIn(page);
  await expect(page).toHaveURL(`${securedServer.url}/?window=60&panels=cpu,memory`);
  await expect(dashboard.indicator).toHaveText("live");
  await expect(page.locator(".account summary")).toHaveText("ann");
});

test("wrong password is told, keeps the name and focuses the password", async ({ page, securedServer }) => {
  await page.goto(securedServer.url);
  await signIn(page, "wrong");
  await expect(page.getByRole("alert")).toHaveText("Name or password is wrong.");
  await expect(page.getByLabel("Name")).toHaveValue("ann");
  await expect(page.getByLabel("Password")).toBeFocused();
  await expect(page.getByLabel("Password")).toHaveValue("");
});

test("reader who signs out is signed out, also after going back", async ({ page, securedServer }) => {
  await page.goto(securedServer.url);
  await signIn(page);
  await page.locator(".account summary").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("status")).toHaveText("You are signed out.");
  await page.goBack();
  // The browser may show the page from its cache, which then shows the notice.
  const again = page.getByRole("link", { name: "Sign in again" });
  await expect(again.or(page.getByRole("button", { name: "Sign in" }))).toBeVisible();
});

test("page whose user is removed says so within two seconds, and resumes without a gap after signing in", async ({
  dashboard,
  data,
  page,
  securedServer,
}) => {
  await page.goto(`${securedServer.url}/?window=300`);
  await signIn(page);
  await expect(dashboard.indicator).toHaveText("live");
  const { newest } = await dashboard.read();
  data.addUser("bob", "battery staple");
  data.run("user remove ann");
  await expect(dashboard.notice).toContainText("You are signed out.", { timeout: 2000 });
  // The view stays.
  await expect(page.locator("#cpu .drawing.drawn").first()).toBeVisible();

  data.addUser("ann", "correct horse");
  await page.getByRole("link", { name: "Sign in again" }).click();
  // The server learns of the new user within a second.
  await expect(async () => {
    await signIn(page);
    await expect(page).toHaveURL(`${securedServer.url}/?window=300`, { timeout: 1000 });
  }).toPass({ timeout: 10_000 });
  await expect(dashboard.indicator).toHaveText("live");
  await expect.poll(async () => (await dashboard.read()).newest).toBeGreaterThan(newest + 3000);
  expect((await dashboard.read()).gaps).toEqual([]);
});

test("administrator adds a user and a token, and ends a session from the settings", async ({
  browser,
  data,
  page,
  securedServer,
}) => {
  await page.goto(`${securedServer.url}/settings`);
  await signIn(page);
  await expect(page).toHaveURL(`${securedServer.url}/settings`);
  const users = page.getByRole("region", { name: "Users" });
  await users.getByLabel("Name").fill("bob");
  await users.getByLabel("Password").fill("battery staple");
  await users.getByRole("button", { name: "Add user" }).click();
  await expect(users.getByRole("row", { name: /bob/ })).toContainText("viewer");
  expect(data.run("user list")).toContain("bob");

  const tokens = page.getByRole("region", { name: "Tokens" });
  await tokens.getByLabel("Name").fill("prometheus");
  await tokens.getByRole("button", { name: "Add token" }).click();
  const secret = await page.locator("code").innerText();
  const scrape = await fetch(`${securedServer.url}/metrics`, { headers: { authorization: `Bearer ${secret}` } });
  expect(scrape.status).toBe(200);

  const other = await (await browser.newContext()).newPage();
  await other.goto(securedServer.url);
  await signIn(other);
  await expect(other.locator(".account summary")).toHaveText("ann");
  await page.reload();
  await page.getByRole("button", { name: /End the session of ann/ }).click();
  await expect(other.locator(".notice")).toContainText("You are signed out.", { timeout: 2000 });
  await other.context().close();
});

test("reader without JavaScript signs in and sees charts", async ({ browser, securedServer }) => {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(securedServer.url);
  await signIn(page);
  await expect(page.locator("#cpu .still svg").first()).toBeVisible();
  await page.context().close();
});

for (const colorScheme of ["light", "dark"] as const)
  for (const width of [390, 768, 1440])
    test.describe(`${width} pixels wide, ${colorScheme}`, () => {
      test.use({ viewport: { width, height: 900 }, colorScheme });

      test("sign-in page, menu and settings have no axe violations and fit", async ({ data, page, securedServer }) => {
        data.run("token add prometheus --can read");
        data.run("token add grafana --can read --expires 90d");
        data.addUser("margherita.hack", "battery staple");
        const check = async (what: string) => {
          const { violations } = await new AxeBuilder({ page }).analyze();
          expect(violations.map(({ id, nodes }) => `${what} ${id}: ${nodes[0]!.html}`)).toEqual([]);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          expect(overflow, what).toBeLessThanOrEqual(0);
          if (process.env.SCREENS)
            await page.screenshot({ path: `${process.env.SCREENS}/${what}-${width}-${colorScheme}.png`, fullPage: what !== "menu" });
        };
        await page.goto(securedServer.url);
        await check("sign-in");
        await signIn(page, "wrong");
        await check("wrong password");
        await signIn(page);
        await page.locator(".account summary").click();
        await check("menu");
        await page.getByRole("link", { name: "Settings" }).click();
        await check("settings");
      });
    });
