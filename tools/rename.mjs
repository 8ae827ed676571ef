// Gives the glue the short names that wasm-opt has given to what it and the library share: those that wasm-bindgen writes hold
// hashes, which no compression makes smaller.
// Usage: node tools/rename.mjs GLUE.js NAMES.json, where NAMES.json is what `wasm-opt --minify-imports-and-exports-and-modules`
// has printed.
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
if (left.length) throw new Error(`${glue} is not what wasm-bindgen wrote before; it still has ${left}`);
writeFileSync(glue, renamed);
