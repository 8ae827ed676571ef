// Numbers the functions of a wasm library so that similar ones follow each other, which takes 5 % off its compressed size.
// The numbers go into the name section, for `wasm-opt --reorder-functions-by-name`.
// Usage: node tools/order.mjs LIBRARY.wasm ORDERED.wasm, where LIBRARY.wasm has no name section yet.
import { readFileSync, writeFileSync } from "node:fs";

const [library, ordered] = process.argv.slice(2);
const CODE_SECTION = 10;
const FUNCTION_NAMES = 1;

/** Number in LEB128 at a position, and the position after it. */
function readNumber(bytes, position) {
  let number = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[position++];
    number |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [number, position];
  }
}

function number(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...number(value >>> 7)];
}

function sized(bytes) {
  return Buffer.concat([Buffer.from(number(bytes.length)), bytes]);
}

function functionBodies(wasm) {
  for (let position = 8; position < wasm.length; ) {
    const id = wasm[position];
    const [size, start] = readNumber(wasm, position + 1);
    position = start + size;
    if (id !== CODE_SECTION) continue;
    const [count, first] = readNumber(wasm, start);
    let next = first;
    return Array.from({ length: count }, () => {
      const [length, body] = readNumber(wasm, next);
      next = body + length;
      return wasm.subarray(body, next);
    });
  }
  throw new Error(`${library} has no code section`);
}

/** All runs of four bytes in a function. */
function runs(body) {
  return new Set(Array.from({ length: Math.max(0, body.length - 3) }, (_, i) => body.readUInt32LE(i)));
}

/** Indices, each followed by the most similar one left, by the cosine of their sets of runs. */
function chain(sets) {
  const owners = new Map();
  sets.forEach((set, i) => set.forEach((run) => owners.set(run, [...(owners.get(run) ?? []), i])));
  const left = new Set(sets.keys());
  const order = [];
  for (let current = 0; current !== undefined; ) {
    order.push(current);
    left.delete(current);
    const shared = new Map();
    for (const run of sets[current])
      for (const other of owners.get(run)) if (left.has(other)) shared.set(other, (shared.get(other) ?? 0) + 1);
    let most = 0;
    let nearest = left.values().next().value;
    for (const [other, count] of shared) {
      const part = count / Math.sqrt(sets[current].size * sets[other].size);
      if (part > most) [most, nearest] = [part, other];
    }
    current = nearest;
  }
  return order;
}

const wasm = readFileSync(library);
const imported = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).filter(({ kind }) => kind === "function").length;
const names = [];
// wasm-opt sorts names as strings.
chain(functionBodies(wasm).map(runs)).forEach((i, rank) => (names[i] = Buffer.from(String(rank).padStart(6, "0"))));
const entries = names.map((name, i) => Buffer.concat([Buffer.from(number(imported + i)), sized(name)]));
const map = Buffer.concat([Buffer.from(number(names.length)), ...entries]);
const section = Buffer.concat([sized(Buffer.from("name")), Buffer.from([FUNCTION_NAMES]), sized(map)]);
writeFileSync(ordered, Buffer.concat([wasm, Buffer.from([0]), sized(section)]));
