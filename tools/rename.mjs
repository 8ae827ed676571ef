// Renames imports and exports in the JavaScript glue as wasm-opt renamed them in the library: wasm-bindgen's names contain
// hashes, which don't compress.
// Usage: node tools/rename.mjs GLUE.js NAMES.json, where NAMES.json is the output of
// `wasm-opt --minify-imports-and-exports-and-modules`.
import { readFileSync, writeFileSync } from "node:fs";

const [glue, names] = process.argv.slice(2);
const { imports, exports } = JSON.parse(readFileSync(names, "utf8"));
const short = { import: new Map(), export: new Map(exports) };
for (const [, name, renamed] of imports) short.import.set(name, renamed);
const renamed = readFileSync(glue, "utf8")
  .replace(/(?<=\bwasm\.)\w+/g, (name) => short.export.get(name) ?? name)
  .replace(/(?<=^ {8})\w+(?=: )/gm, (name) => short.import.get(name) ?? name)
  .replaceAll('"./hostbeat_bg.js"', '"a"');
const left = [...short.import.keys()].filter((name) => /_[0-9a-f]{16}$/.test(name) && renamed.includes(name));
if (left.length) throw new Error(`${glue} still has ${left}; its format changed`);
writeFileSync(glue, renamed);
