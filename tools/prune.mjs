// Removes unused exported classes from wasm-bindgen's JavaScript glue, and lists the wasm exports that the glue still calls,
// since each export keeps everything it reaches.
// Usage: node tools/prune.mjs GLUE.js LIBRARY.wasm GRAPH.json, where GRAPH.json is written for wasm-metadce.
import { readFileSync, writeFileSync } from "node:fs";

const [glue, library, graph] = process.argv.slice(2);
const unused = /^export class (\w+) \{[^]*?^\}\n(?:if \(Symbol\.dispose\) \1.*\n)?/gm;
const finalizers = /^const \w+Finalization = [^]*?;\n/gm;
const bound = readFileSync(glue, "utf8");
const pruned = bound.replace(unused, "").replace(finalizers, "").replace("export { initSync, ", "export { ");
if (pruned === bound) throw new Error(`${glue} has no classes to prune; its format changed`);
writeFileSync(glue, pruned);

const names = WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(library))).map(({ name }) => name);
// The glue and the memory benchmark use the memory by name.
const called = names.filter((name) => name === "memory" || pruned.includes(`wasm.${name}`));
const root = { name: "glue", root: true, reaches: called };
writeFileSync(graph, JSON.stringify([root, ...called.map((name) => ({ name, export: name }))]));
