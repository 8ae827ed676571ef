import { createHash } from "node:crypto";
import { type IncomingMessage, get } from "node:http";
import os from "node:os";
import { CHARTS, type ChartId, isoTime, read } from "../fixtures/dashboard";
import { expect, test } from "../fixtures/test";
import { mismatches } from "../fixtures/values";

/** Colour and series path of the lowest line of each chart. */
const LINES: Record<ChartId, [colour: string, path: string]> = {
  cpu: ["blue", "cpu.user_percent"],
  memory: ["green", "memory.used_bytes"],
  load: ["grey", "load.fifteen"],
  pressure: ["amber", "pressure.io.some_percent"],
  connections: ["violet", "connections.tcp.listen"],
  network: ["violet", "network.tx_bytes_per_second"],
  disk: ["amber", "disk.write_bytes_per_second"],
};

test("first response contains the values and charts of its second", async ({ page, baseURL, record }) => {
  const requested = Date.now();
  const html = await (await fetch(`${baseURL}/?window=60`)).text();
  const recorder = await record();
  // Parsed without running scripts or fetching assets.
  const parsed = await page.evaluateHandle((html) => new DOMParser().parseFromString(html, "text/html"), html);
  const reading = await parsed.evaluate(read);
  expect(reading.newest).toBeGreaterThan(requested - 3000);
  expect(mismatches(reading.values, await recorder.at(reading.newest))).toEqual([]);

  for (const chart of CHARTS) {
    const [colour, path] = LINES[chart];
    const { lines, top, width, height } = await parsed.evaluate(readLine, { chart, colour });
    const seconds = recorder.ticks.filter((t) => reading.newest - 60_000 < t && t <= reading.newest);
    expect(seconds.length).toBeGreaterThan(0);
    for (const t of seconds) {
      const x = width * (1 - (reading.newest - t) / 1000 / 59);
      const y = height * (1 - (await recorder.at(t))[path]! / top);
      const drawn = lines.some((line) =>
        line.some((point, i) => isNear(point, x, y) || isOn(line[i - 1] ?? point, point, x, y)),
      );
      expect(drawn, `${path} at ${isoTime(t)} is at ${x},${y}; the lines are ${lines.join(" and ")}`).toBe(true);
    }
  }

  const facts = await parsed.evaluate((document) => document.querySelector(".facts")!.textContent);
  for (const fact of [os.hostname(), os.release(), `${os.cpus().length} × ${os.cpus()[0]!.model}`])
    expect(facts).toContain(fact);
});

test("content security policy is strict and the page complies", async ({ baseURL }) => {
  const response = await fetch(baseURL!);
  const policy = new Map(
    response.headers
      .get("content-security-policy")!
      .split(";")
      .map((rule) => rule.trim().split(/ (.*)/) as [string, string]),
  );
  const hashes = policy.get("script-src")!.match(/'sha256-[^']{44}'/g)!;
  expect(Object.fromEntries(policy)).toEqual({
    "default-src": "'self'",
    "script-src": `'self' ${hashes.join(" ")} 'wasm-unsafe-eval'`,
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
  });
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("cache-control")).toBe("private, no-cache");

  const html = await response.text();
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/);
  // Data blocks are not executed and need no hash.
  const scripts = [...html.matchAll(/<script(?! type="application\/json")[^>]*>(.*?)<\/script>/gs)];
  const hash = (script: string) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`;
  expect(scripts.map(([, script]) => hash(script!))).toEqual(hashes);
});

/** Compressed size limits in bytes, with five minutes of a small host in the page. */
const SIZE_LIMITS: Record<string, number> = { wasm: 108_650, js: 3_300, css: 4_800, html: 13_250 };
const TOTAL_LIMIT = 130_000;

test("page and assets stay within their size limits, and assets are immutable", async ({ syntheticHost }) => {
  const { url } = await syntheticHost("small");
  const html = await (await fetch(url)).text();
  const assets = [...new Set(html.match(/\/assets\/[\w.-]+/g))];
  expect(assets.map((path) => path.split(".").pop()).sort()).toEqual(["css", "js", "wasm"]);
  const exceeded: string[] = [];
  const sizes: Record<string, number> = {};
  for (const path of ["/", ...assets]) {
    const { headers, body } = await transferred(new URL(path, url), "br, gzip");
    expect(headers["content-encoding"], path).toBe("br");
    expect(headers["vary"], path).toMatch(/accept-encoding/i);
    if (path !== "/") expect(headers["cache-control"], path).toBe("public, max-age=31536000, immutable");
    const part = path === "/" ? "html" : path.split(".").pop()!;
    sizes[part] = body.length;
    if (body.length > SIZE_LIMITS[part]!) exceeded.push(`${part}: ${body.length} of ${SIZE_LIMITS[part]} bytes`);
  }
  expect(exceeded).toEqual([]);
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  expect(total, `bytes of ${JSON.stringify(sizes)}`).toBeLessThanOrEqual(TOTAL_LIMIT);
});

/** Points of a line in the server's SVG, the SVG's size, and the value at its top edge. It runs in the browser. */
function readLine(document: Document, { chart, colour }: { chart: string; colour: string }) {
  const paths = document.querySelectorAll(`#${chart} .still path[stroke="var(--${colour})"]`);
  const lines = [...paths].map((path): Point[] => {
    const steps = path.getAttribute("d")!.match(/-?\d+/g)!.map(Number);
    let [x, y] = [0, 0];
    return Array.from({ length: steps.length / 2 }, (_, i) => [(x += steps[2 * i]!), (y += steps[2 * i + 1]!)]);
  });
  const [, , width, height] = paths[0]!.closest("svg")!.getAttribute("viewBox")!.split(" ").map(Number);
  const [, number, symbol = ""] = /([\d.]+) ?(\S*)/.exec(document.querySelector(`#${chart} .axis li`)!.textContent!)!;
  const binary = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
  const bytes = { "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9 };
  const bits = { "bit/s": 0.125, "kbit/s": 125, "Mbit/s": 125e3, "Gbit/s": 125e6 };
  const multiple = { ...binary, ...bytes, ...bits }[symbol] ?? 1;
  return {
    lines,
    top: Number(number) * multiple,
    width: width!,
    height: height!,
  };
}

type Point = [x: number, y: number];

function isNear([px, py]: Point, x: number, y: number): boolean {
  return Math.hypot(px - x, py - y) < 2;
}

/** Whether a horizontal segment passes the point; such a segment has points at its ends only. */
function isOn([left, level]: Point, [right, other]: Point, x: number, y: number): boolean {
  return level === other && x > Math.min(left, right) && x < Math.max(left, right) && Math.abs(y - level) < 2;
}

/** Response with its body still compressed, which `fetch` would decode. */
async function transferred(url: URL, encoding: string) {
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    get(url, { headers: { "accept-encoding": encoding } }, resolve).on("error", reject),
  );
  return { headers: response.headers, body: Buffer.concat(await response.toArray()) };
}
