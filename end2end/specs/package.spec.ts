import { execFileSync } from "node:child_process";
import { expect, test } from "../fixtures/test";

// tools/deb.test.sh starts the service in a container with this first process.
const { HOSTBEAT_PACKAGE_PID: init, HOSTBEAT_PACKAGE_URL: url } = process.env;

test.use({ ignoreHTTPSErrors: true });

test("user of the package sees live charts over HTTP/2 until the session is ended from the command line", async ({
  browserLog,
  dashboard,
  page,
}) => {
  browserLog.allow(/status of 401|SSL certificate/);
  await page.goto(`${url}/?window=60`);
  await page.getByLabel("Name").fill("alice");
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(dashboard.indicator).toHaveText("live");
  const protocols = await page.evaluate(() => {
    const navigations = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    return navigations.map((navigation) => navigation.nextHopProtocol);
  });
  expect(protocols).toEqual(["h2"]);
  await expect(page.locator("#cpu .drawing.drawn").first()).toBeVisible();
  const { newest } = await dashboard.read();
  await expect.poll(async () => (await dashboard.read()).newest).toBeGreaterThan(newest + 2000);

  const enter = ["--mount", "--pid", "--root", "--wd", "--target", init!];
  const change = ["hostbeat", "user", "passwd", "alice", "--password-stdin", "--data", "/var/lib/hostbeat"];
  execFileSync("nsenter", [...enter, ...change], { input: "battery staple", stdio: "pipe" });
  await expect(dashboard.notice).toContainText("You are signed out.", { timeout: 2000 });
});
