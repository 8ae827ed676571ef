import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "@playwright/test";
import { binary } from "./fixtures/server";

// Made here, since the server would make it private, and other tests' programs run as other users.
mkdirSync(resolve(import.meta.dirname, "../target/tmp"), { recursive: true });
// The developer's own users are no part of a test.
process.env.XDG_STATE_HOME = resolve(import.meta.dirname, "../target/tmp/no-state");
// Nor is what an earlier test left behind.
process.env.HOSTBEAT_HISTORY = "off";

// Each variable selects a project outside the suite: the installed package, the cargo-leptos build, the README's screenshot, the
// benchmark.
const { CHROMIUM, HOSTBEAT_PACKAGE_URL, HOSTBEAT_REDRAW, HOSTBEAT_SCREENSHOT, HOSTBEAT_URL, HOSTBEAT_WATCH } = process.env;
const projects = HOSTBEAT_WATCH
  ? [{ name: "watch", testMatch: "cargo-leptos.spec.ts" }]
  : HOSTBEAT_SCREENSHOT
    ? [{ name: "screenshot", testMatch: "screenshot.ts" }]
    : HOSTBEAT_REDRAW
      ? [{ name: "redraw", testMatch: "redraw.ts" }]
      : HOSTBEAT_PACKAGE_URL
        ? [{ name: "package", testMatch: "package.spec.ts" }]
        : [{ name: "chromium", testIgnore: ["cargo-leptos.spec.ts", "package.spec.ts"] }];

export default defineConfig({
  projects,
  // Snapshots depend on the fonts of Debian 12.
  snapshotPathTemplate: "snapshots/{arg}{ext}",
  workers: 2,
  forbidOnly: true,
  timeout: 45_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: {
    baseURL: HOSTBEAT_URL,
    timezoneId: "UTC",
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
  // Shared by all tests that only read. It starts first, so that it has history for the tests that need some.
  webServer: {
    command: `exec "${binary}" --listen 127.0.0.1:0 --log-format text`,
    wait: { stdout: /listening on (?<hostbeat_url>http:\S+)/ },
    gracefulShutdown: { signal: "SIGTERM", timeout: 10_000 },
  },
});
