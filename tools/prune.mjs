// Takes out of the glue what a dependency exports for JavaScript and nobody here calls, and out of the library what the glue
// then doesn't call: each export keeps all that it reaches.
// Usage: node tools/prune.mjs GLUE.js LIBRARY.wasm GRAPH.json; then wasm-metadce takes GRAPH.json.
import { readFileSync, writeFileSync } from "node:fs";

const [glue, library, graph] = process.argv.slice(2);
const unused = /^export class (\w+) \{[^]*?^\}\n(?:if \(Symbol\.dispose\) \1.*\n)?/gm;
const finalizers = /^const \w+Finalization = [^]*?;\n/gm;
const bound = readFileSync(glue, "utf8");
const pruned = bound.replace(unused, "").replace(finalizers, "").replace("export { initSync, ", "export { ");
if (pruned === bound) throw new Error(`${glue} is not what wasm-bindgen wrote before; see whether it can be pruned`);
writeFileSync(glue, pruned);

const names = WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(library))).map(({ name }) => name);
// The benchmark of memory, and the glue itself, reach for the memory by its name.
const called = names.filter((name) => name === "memory" || pruned.includes(`wasm.${name}`));
const root = { name: "glue", root: true, reaches: called };
writeFileSync(graph, JSON.stringify([root, ...called.map((name) => ({ name, export: name }))]));
