// Adds to a page of the history: a crosshair that names the values and processes of its moment, zooming by dragging,
// moving by keys, and times in the reader's zone. What it shows it gets from the server as the same page.

const PAGE_STEP = 10;
// The least part of a drawing that is a selection; a shorter drag is an unsteady click.
const MIN_SELECTION = 0.02;
const MIN_MS = 10_000;
// How long the crosshair rests before its values are requested.
const REST_MS = 80;
// Seconds between labels of a time axis.
const DAY = 86_400;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, DAY, 2 * DAY, 5 * DAY, 10 * DAY, 30 * DAY, 365 * DAY];
const MAX_LABELS = 6;
const MARGIN = 0.08;
const THEMES = ["auto", "light", "dark"];

const stored = (key) => {
  try {
    return localStorage[key];
  } catch {
    return undefined;
  }
};
const store = (key, value) => {
  try {
    localStorage[key] = value;
  } catch {
    // Blocked storage keeps nothing.
  }
};

let isUtc = stored("zone") === "utc";
// The page's range and steps, and the step pointed at.
let range;
let pointed;
// The step at which a selection began.
let selected;
let resting;
let request;
// The address of what is shown, and the one that is being loaded.
let shown;
let loading;

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const page = () => document.querySelector(".page");
const timeOf = (step) => range.from + step * range.step;

function readRange() {
  const { from, step, steps, at } = page().dataset;
  range = { from: +from, step: Math.max(+step, 1), steps: Math.max(+steps, 2) };
  range.last = timeOf(range.steps - 1);
  pointed = stepOf(+at);
}

function stepOf(t) {
  return Math.min(Math.max(Math.floor((t - range.from) / range.step), 0), range.steps - 1);
}

// Times.

const offset = (t) => (isUtc ? 0 : -new Date(t).getTimezoneOffset());
// A time whose UTC fields are those of the page's zone.
const local = (t) => new Date(t + offset(t) * 60_000).toISOString();
const timeText = (t) => local(t).slice(11, 19);
const dateText = (t) => local(t).slice(0, 10);

function zoneName(t) {
  const minutes = offset(t);
  if (minutes === 0) return "UTC";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes > 0 ? "+" : "−"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

function showTimes() {
  for (const time of all("time[datetime]")) {
    const t = Date.parse(time.dateTime);
    time.textContent = `${dateText(t)} ${timeText(t)}`;
  }
  for (const zone of all(".zone-name, .zone")) zone.textContent = zoneName(range.last);
  for (const input of all(".picker input[type=datetime-local]")) {
    input.dataset.t ??= Date.parse(`${input.value}Z`);
    input.value = local(+input.dataset.t).slice(0, 19);
  }
  const labels = axisLabels();
  for (const axis of all(".times svg")) axis.replaceChildren(...labels.map(({ x, text }) => axisLabel(x, text)));
}

function axisLabels() {
  const seconds = (range.last - range.from) / 1000;
  const step = STEPS.find((step) => step * MAX_LABELS >= seconds) ?? STEPS.at(-1);
  const labels = [];
  let age = (range.last / 1000 + offset(range.last) * 60) % step;
  for (; age <= seconds; age += step) {
    const x = 1 - age / seconds;
    const t = range.last - age * 1000;
    const text = step >= DAY ? dateText(t).slice(5) : timeText(t).slice(0, step < 60 ? 8 : 5);
    if (x >= MARGIN && x <= 1 - MARGIN) labels.push({ x: `${(100 * x).toFixed(1)}%`, text });
  }
  return labels;
}

function axisLabel(x, text) {
  const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
  label.setAttribute("x", x);
  label.textContent = text;
  return label;
}

// The crosshair.

function showCrosshair() {
  const part = (step) => (1000 * step) / Math.max(range.steps - 1, 1);
  const [x, from] = [part(pointed), part(selected ?? pointed)];
  for (const crosshair of all(".crosshair")) {
    crosshair.hidden = false;
    const set = (selector, values) => {
      for (const [name, value] of Object.entries(values)) crosshair.querySelector(selector).setAttribute(name, value);
    };
    set("line", { x1: x, x2: x });
    set("rect", { x: Math.min(x, from), width: Math.abs(x - from) });
    const t = timeOf(pointed);
    crosshair.querySelector("time").textContent = range.step >= 60_000 ? `${dateText(t)} ${timeText(t)}` : timeText(t);
  }
}

function pointAt(step) {
  pointed = Math.min(Math.max(step, 0), range.steps - 1);
  showCrosshair();
  clearTimeout(resting);
  // A page that is being loaded brings its own values.
  if (!loading) resting = setTimeout(() => showValues(timeOf(pointed)), REST_MS);
}

function stepBelow(event, drawing) {
  const { left, width } = drawing.getBoundingClientRect();
  const part = Math.min(Math.max((event.clientX - left) / width, 0), 1);
  return Math.round(part * (range.steps - 1));
}

// The values of a moment replace those of another: legends, tiles, tables and processes.
async function showValues(t) {
  const address = new URL(location.href);
  if (address.searchParams.has("range")) {
    // Later, this range would be another.
    address.searchParams.delete("range");
    address.searchParams.set("from", range.from);
    address.searchParams.set("to", range.last);
  }
  address.searchParams.set("at", t);
  const sent = await load(address, { only: "values" });
  if (!sent) return;
  history.replaceState(history.state, "", address);
  shown = pathOf(location);
  for (const selector of [".tiles", ".summary"]) replace(document, sent, selector);
  for (const panel of all(".panel")) {
    const other = sent.getElementById(panel.id);
    if (!other) panel.hidden = true;
    else for (const selector of ["header", ".details", ".devices", ".cores", ".empty"]) replace(panel, other, selector);
  }
  for (const panel of all(".panel", sent).filter(({ id }) => !document.getElementById(id))) {
    document.querySelector("main").append(panel);
  }
  showTimes();
  announce(t);
}

function replace(into, from, selector) {
  const others = all(selector, from);
  all(selector, into).forEach((element, index) => others[index] && element.replaceWith(others[index]));
  if (into.id && !from.hidden) into.hidden = false;
}

// The legend's values, for screen readers.
function announce(t) {
  const panel = document.activeElement?.closest?.(".panel");
  if (!panel || !document.activeElement.matches(".drawing")) return;
  const words = (button) => [...button.childNodes].map((node) => node.textContent.trim()).filter(Boolean).join(" ");
  const values = all(".legend button", panel).map(words);
  panel.querySelector(".spoken").textContent = [dateText(t), timeText(t), ...values].join(", ");
}

// Ranges.

async function load(address, extra = {}) {
  request?.abort();
  request = new AbortController();
  const url = new URL(address);
  for (const [name, value] of Object.entries(extra)) url.searchParams.set(name, value);
  try {
    const response = await fetch(url, { signal: request.signal });
    if (!response.ok) throw new Error(response.statusText);
    const sent = new DOMParser().parseFromString(await response.text(), "text/html");
    if (sent.querySelector(".history")) return sent;
    // Such as the form to sign in.
    location.assign(address);
  } catch (error) {
    if (error.name !== "AbortError") say("The server did not send that; the page shows what it had.");
  }
  return undefined;
}

function say(text) {
  const summary = document.querySelector(".summary");
  summary.setAttribute("role", "status");
  summary.textContent = text;
}

// What is there already is shown stretched until the finer page has come.
function stretch(from, to) {
  const scale = (range.last - range.from) / (to - from);
  for (const drawing of all(".still svg")) {
    drawing.dataset.viewBox ??= drawing.getAttribute("viewBox");
    const [, , width, height] = drawing.dataset.viewBox.split(" ").map(Number);
    const left = ((from - range.from) / (range.last - range.from)) * width;
    drawing.setAttribute("viewBox", `${left} 0 ${width / scale} ${height}`);
  }
  page().classList.add("loading");
}

function restore() {
  for (const drawing of all(".still svg[data-view-box]")) drawing.setAttribute("viewBox", drawing.dataset.viewBox);
  page().classList.remove("loading");
}

const pathOf = ({ pathname, search }) => pathname + search;

async function show(from, to) {
  const address = new URL(location.href);
  address.searchParams.delete("range");
  address.searchParams.delete("at");
  address.searchParams.set("from", Math.round(from));
  address.searchParams.set("to", Math.round(to));
  stretch(from, to);
  await open(address, () => history.pushState("zoomed", "", address));
}

async function open(address, arrived) {
  clearTimeout(resting);
  loading = address;
  const sent = await load(address);
  // A newer request is pending.
  if (loading !== address) return;
  loading = undefined;
  if (!sent) return restore();
  arrived();
  const focused = document.activeElement?.closest?.(".panel")?.id;
  page().replaceWith(sent.querySelector(".page"));
  start();
  if (focused) document.getElementById(focused)?.querySelector(".drawing")?.focus({ preventScroll: true });
}

// The range that was asked for last.
function wanted() {
  const { searchParams } = loading ?? new URL("about:blank");
  return [Number(searchParams.get("from")) || range.from, Number(searchParams.get("to")) || range.last];
}

function move(part) {
  const [from, to] = wanted();
  const by = (to - from) * part;
  show(from + by, to + by);
}

// Around the crosshair.
function zoom(factor) {
  const center = timeOf(pointed);
  const [before, after] = [(center - range.from) * factor, (range.last - center) * factor];
  const widened = Math.max(1, MIN_MS / Math.max(before + after, 1));
  show(center - before * widened, center + after * widened);
}

// Input.

const drawingOf = (event) => event.target.closest?.(".history .drawing");

addEventListener("pointermove", (event) => {
  const drawing = drawingOf(event);
  if (drawing) pointAt(stepBelow(event, drawing));
});
addEventListener("pointerdown", (event) => {
  const drawing = drawingOf(event);
  if (!drawing || event.button !== 0) return;
  pointAt(stepBelow(event, drawing));
  // A finger that moves scrolls the page.
  if (event.pointerType === "touch") return;
  drawing.setPointerCapture(event.pointerId);
  selected = pointed;
});
addEventListener("pointerup", () => {
  const from = selected;
  selected = undefined;
  if (from === undefined) return;
  if (Math.abs(from - pointed) < range.steps * MIN_SELECTION) return showCrosshair();
  const [first, last] = [Math.min(from, pointed), Math.max(from, pointed)].map(timeOf);
  show(first, Math.max(last, first + MIN_MS));
});
addEventListener("pointercancel", () => {
  selected = undefined;
});
addEventListener("dblclick", (event) => {
  if (!drawingOf(event)) return;
  if (history.state === "zoomed") history.back();
  else zoom(2);
});
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("form, button, summary, a")) return;
  const onDrawing = drawingOf(event) && !event.shiftKey;
  const actions = {
    ArrowLeft: () => (onDrawing ? pointAt(pointed - 1) : move(-0.5)),
    ArrowRight: () => (onDrawing ? pointAt(pointed + 1) : move(0.5)),
    "+": () => zoom(0.5),
    "-": () => zoom(2),
  };
  const onDrawings = {
    PageUp: () => pointAt(pointed - PAGE_STEP),
    PageDown: () => pointAt(pointed + PAGE_STEP),
    Home: () => pointAt(0),
    End: () => pointAt(range.steps - 1),
  };
  const action = actions[event.key] ?? (onDrawing ? onDrawings[event.key] : undefined);
  if (!action) return;
  event.preventDefault();
  action();
});
addEventListener("click", (event) => {
  if (event.target.closest(".zone")) {
    isUtc = !isUtc;
    store("zone", isUtc ? "utc" : "local");
    showTimes();
    showCrosshair();
  } else if (event.target.closest(".theme")) {
    const { dataset } = document.documentElement;
    dataset.theme = THEMES[(THEMES.indexOf(dataset.theme) + 1) % THEMES.length];
    store("theme", dataset.theme);
    event.target.title = `Theme: ${dataset.theme}`;
  }
});
addEventListener("submit", (event) => {
  if (!event.target.matches(".picker")) return;
  event.preventDefault();
  const address = new URL(location.href);
  address.search = "";
  for (const [name, value] of new FormData(event.target)) {
    // The fields are in the page's zone: the browser reads those of the reader's.
    const t = name === "from" || name === "to" ? Date.parse(isUtc ? `${value}Z` : value) : value;
    if (t !== "") address.searchParams.set(name, t);
  }
  location.assign(address);
});
addEventListener("input", ({ target }) => {
  // What is typed stays when times are written again.
  if (target.matches(".picker [type=datetime-local]")) target.dataset.t = Date.parse(isUtc ? `${target.value}Z` : target.value);
});
addEventListener("popstate", () => {
  // A link within the page changes the fragment only.
  if (pathOf(location) !== shown) open(new URL(location.href), () => {});
});

function start() {
  readRange();
  selected = undefined;
  shown = pathOf(location);
  for (const button of all(".history .tool[hidden]")) button.hidden = false;
  showTimes();
  if (new URL(location.href).searchParams.has("at")) showCrosshair();
}

start();
