// Opens the page and prints each minute what it holds after a garbage collection: JavaScript values, buffers and WebAssembly
// memory. Fails if it ends more than 8 MiB above the most of the first ten minutes.
// Usage: heap.mjs URL SECONDS
import { chromium } from "@playwright/test";
import { setTimeout } from "node:timers/promises";

const MINUTE = 60_000;
const FIRST_MINUTES = 10;
const ALLOWED = 8 * 2 ** 20;

const [url, seconds] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage();
await page.goto(url);
const cdp = await page.context().newCDPSession(page);
const held = [];
for (let left = Number(seconds) * 1000; left > 0; left -= MINUTE) {
  await setTimeout(Math.min(left, MINUTE));
  await cdp.send("HeapProfiler.collectGarbage");
  const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await cdp.send("Runtime.getHeapUsage");
  held.push(usedSize + embedderHeapUsedSize + backingStorageSize);
  const kib = (bytes) => Math.round(bytes / 1024);
  console.log(`page, minute ${held.length}: ${kib(usedSize)} KiB JavaScript, ${kib(held.at(-1))} KiB in all`);
}
await browser.close();
process.exitCode = held.at(-1) <= Math.max(...held.slice(0, FIRST_MINUTES)) + ALLOWED ? 0 : 1;
