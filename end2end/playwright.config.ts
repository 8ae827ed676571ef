import { defineConfig } from "@playwright/test";
import { binary } from "./fixtures/server";

// None of these belongs to the suite: they test another build of the page, take a picture of it, and measure it.
const { CHROMIUM, HOSTBEAT_REDRAW, HOSTBEAT_SCREENSHOT, HOSTBEAT_URL, HOSTBEAT_WATCH } = process.env;
const projects = HOSTBEAT_WATCH
  ? [{ name: "watch", testMatch: "watch.spec.ts" }]
  : HOSTBEAT_SCREENSHOT
    ? [{ name: "screenshot", testMatch: "screenshot.ts" }]
    : HOSTBEAT_REDRAW
      ? [{ name: "redraw", testMatch: "redraw.ts" }]
      : [{ name: "chromium", testIgnore: "watch.spec.ts" }];

export default defineConfig({
  projects,
  // They show what the fonts of Debian 12 make of the page.
  snapshotPathTemplate: "snapshots/{arg}{ext}",
  workers: 2,
  forbidOnly: true,
  timeout: 45_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: {
    baseURL: HOSTBEAT_URL,
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  // One server for all who only look. It runs from the start, so that it has a past when the tests that need one come.
  webServer: {
    command: `exec "${binary}" --listen 127.0.0.1:0 --log-format text`,
    wait: { stdout: /listening on (?<hostbeat_url>http:\S+)/ },
    gracefulShutdown: { signal: "SIGTERM", timeout: 10_000 },
  },
});
