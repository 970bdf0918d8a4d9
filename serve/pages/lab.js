// The page /lab: fields and sliders make a filter, questions to this server show what it does, the address holds it all.
import { $, dataset as liveData, element, json, row } from "./dom.js";
import * as filter from "./lab_filter.js";
import { drawActivity, drawFunnel } from "./lab_charts.js";
import { drawGrid, markCurrent, measures } from "./lab_sweep.js";

const number = new Intl.NumberFormat("en-US");
const root = $("lab");
filter.know(JSON.parse(root.dataset.parameters));
const defaults = filter.complete(JSON.parse(root.dataset.defaults), {});
const live = root.dataset.liveFilter ? filter.complete(JSON.parse(root.dataset.liveFilter), defaults) : null;
const liveName = `live model ${root.dataset.liveNumber}`;
const DEBOUNCE_MS = 250;

let values = { ...defaults };
const shown = { funnel: null, live: null, activity: null, sweep: null };
let data = null; // the data set that the numbers are of, as the first answer says; a page shows those of one alone
let sweeping = false; // a sweep belongs to what the address says

// The first questions are asked while Chart.js is still being read; it is there once the page is.
const charts = new Promise((resolve) => addEventListener("DOMContentLoaded", resolve));

// --- questions ---------------------------------------------------------------------------------------------------

const running = {}; // one question a kind: a newer one stops the older

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
}

// Leaves the connection, and says so by name: the first is enough for a server that is reached directly, the second
// for one behind a proxy that keeps its own connection open.
function stop(kind) {
  const question = running[kind];
  if (!question) return;
  delete running[kind];
  clearInterval(question.clock);
  question.abort.abort();
  fetch(`/lab/stop?id=${question.id}`, { keepalive: true }).catch(() => {});
}

function say(kind, text, failed) {
  const status = $(`${kind}-status`);
  if (!status) return;
  status.classList.toggle("failed", Boolean(failed));
  status.textContent = text;
}

// A sweep of what is no count threshold goes over the ratings once a value, and knows how often it has.
async function askSteps(question) {
  if (question.asking) return;
  question.asking = true;
  try {
    const { done, of } = await json(await fetch(`/lab/progress?id=${question.id}`));
    if (of > 0) question.steps = `${done} of ${of}, `;
  } catch { /* then only the time is told */ }
  question.asking = false;
}

// While a question runs its line tells for how long, and has a button to stop it; screen readers hear it once.
function sayRunning(kind, question) {
  const status = $(`${kind}-status`);
  if (!status) return;
  const time = document.createElement("span"), button = document.createElement("button"), word = document.createElement("span");
  time.setAttribute("aria-hidden", "true");
  word.textContent = "computing";
  button.type = "button";
  button.className = "button quiet";
  button.textContent = "Stop";
  button.addEventListener("click", () => { stop(kind); say(kind, "stopped"); });
  const show = () => {
    const seconds = (performance.now() - question.began) / 1000;
    time.textContent = `${question.steps || ""}${seconds.toFixed(1)} s`;
    if (kind === "sweep" && seconds >= 0.4) askSteps(question);
    if (seconds >= 0.4 && !button.isConnected) {
      status.classList.remove("failed");
      status.replaceChildren(word, time, button);
    }
  };
  question.clock = setInterval(show, 100);
}

const otherData = () => Object.assign(new Error(), { problem: { detail: `Another data set than ${data.name} is loaded now`,
  hint: "Reload the page", status: 409, parameter: "dataset" } });

function know(id, name) {
  if (data && data.id !== id) throw otherData();
  if (data) return;
  data = { id, name: name || "without a name" };
  $("loaded").textContent = `Data set: ${data.name}${liveData && liveData !== id ? ", which the live model was not made of" : ""}`;
}

// Gives the answer, or null when a newer question or the Stop button came first.
async function ask(kind, path, pairs) {
  stop(kind);
  const question = { id: newId(), abort: new AbortController(), began: performance.now() };
  running[kind] = question;
  sayRunning(kind, question);
  pairs.set("id", question.id);
  if (data?.id && kind !== "presets") pairs.set("dataset", data.id);
  try {
    const answer = await fetch(`${path}?${pairs}`, { signal: question.abort.signal, headers: { Accept: "application/json" } });
    const body = await json(answer);
    await charts;
    if (running[kind] !== question) return null;
    if (body.status === 409 && body.parameter === "dataset") throw otherData();
    if (!answer.ok) throw Object.assign(new Error(body.detail), { problem: body });
    if (kind !== "presets") know(String(body.dataset ?? ""), body.data);
    if (kind === "funnel") alertWith(null);
    return body;
  } catch (error) {
    if (running[kind] !== question) return null;
    report(kind, error);
    return null;
  } finally {
    clearInterval(question.clock);
    if (running[kind] === question) delete running[kind];
  }
}

function alertWith(text) {
  if (text !== $("alert").textContent) $("alert").textContent = text || "";
  $("alert").hidden = !text;
}

function report(kind, error) {
  const { problem } = error;
  const text = problem ? [problem.detail, problem.hint].filter(Boolean).join(". ") : "this server does not answer";
  if (problem && problem.parameter && problem.status === 400) mistake(problem.parameter, problem.detail);
  if ((kind === "funnel" && (!problem || problem.status === 503)) || problem?.parameter === "dataset") alertWith(text);
  say(kind, text, true);
}

function computed(answer, given) {
  const seconds = (answer.elapsed_ms / 1000).toFixed(2);
  return `computed in ${seconds} s with ${filter.describe(given, defaults)}`;
}

// --- fields ------------------------------------------------------------------------------------------------------

function nearestStop(stops, value) {
  let best = 0;
  stops.forEach((s, i) => { if (Math.abs(s - value) < Math.abs(stops[best] - value)) best = i; });
  return best;
}

function makeField(p) {
  const box = element("div", { className: "lab-field", id: `of-${p.name}` });
  const field = element("input", { id: p.name, className: p.stops ? "" : "text", placeholder: p.stops ? "" : "no condition" });
  field.inputMode = p.stops || p.kind === "real" ? "decimal" : "text";
  field.setAttribute("aria-describedby", `meaning-${p.name} problem-${p.name}`);
  field.addEventListener("input", () => set({ [p.name]: field.value.trim() }));
  const label = element("label", { htmlFor: p.name, textContent: p.name });
  const meaning = element("span", { className: "meaning", id: `meaning-${p.name}`, textContent: p.meaning });
  const problem = element("p", { className: "problem", id: `problem-${p.name}` });
  if (!p.stops) {
    box.append(label, field, meaning, problem);
    return box;
  }
  const slider = element("input", { id: `slide-${p.name}`, type: "range", min: 0, max: p.stops.length - 1, step: 1 });
  slider.setAttribute("aria-label", `${p.name}, as a slider`);
  slider.addEventListener("input", () => set({ [p.name]: String(p.stops[slider.value]) }));
  box.append(label, slider, field, meaning, problem);
  return box;
}

function fillFields() {
  for (const p of filter.parameters) {
    const field = $(p.name), slider = $(`slide-${p.name}`);
    if (document.activeElement !== field || field.value.trim() !== values[p.name]) field.value = values[p.name];
    field.removeAttribute("aria-invalid");
    $(`problem-${p.name}`).textContent = "";
    $(`of-${p.name}`).classList.toggle("differs", !filter.equal(p.name, values, defaults));
    if (slider) {
      if (document.activeElement !== slider) slider.value = nearestStop(p.stops, Number(values[p.name]));
      slider.setAttribute("aria-valuetext", values[p.name]);
    }
  }
}

function mistake(name, text) {
  if (!$(`problem-${name}`)) return;
  $(`problem-${name}`).textContent = text;
  $(name).setAttribute("aria-invalid", "true");
}

// --- the address -------------------------------------------------------------------------------------------------

const sweepFields = ["x", "x_values", "y", "y_values", "measure"];

function address() {
  const pairs = filter.query(values, defaults);
  if (sweeping) for (const name of sweepFields) pairs.set(name, list($(name).value).join(","));
  const text = pairs.toString().replaceAll("%2C", ","); // a comma may stand as it is
  return `/lab${text ? `?${text}` : ""}`;
}

function write() {
  history.replaceState(null, "", address());
  $("sql").textContent = filter.sql(values, defaults);
  $("save").textContent = filter.savePreset(values, defaults);
  $("command").textContent = filter.command(values, defaults);
  $("link").textContent = location.href;
  $("take-values").textContent = `With ${filter.describe(values, defaults)}.`;
}

// --- the funnel --------------------------------------------------------------------------------------------------

// A condition that is not set has a step, too; it repeats the numbers before it, so its bar tells nothing. The cuts are always
// shown.
const isCut = (step) => [5, 6, 9].includes(step);
const idle = (step, of) => !isCut(step) && filter.isIdle(step, of, defaults) && !(live && !filter.isIdle(step, live, defaults));
const count = (n) => (n === null || n === undefined ? "" : number.format(n));
const signed = (n) => (n === 0 ? "same" : `${n > 0 ? "+" : "−"}${number.format(Math.abs(n))}`);
const density = (d) => (d === null ? "" : `${(d * 100).toPrecision(3)} %`);

function tabulate(rows, given, before) {
  const table = $("funnel"), body = document.createElement("tbody"), top = document.createElement("thead");
  const measure = $("funnel-measure").value, words = { row_count: "rows" }[measure] || measure;
  const titles = ["step", "rows", "users", "items", "density"];
  if (before) titles.push(`${words}, ${liveName}`, "difference");
  top.append(row(titles, "col"));
  for (const [i, r] of rows.entries()) {
    const cells = [r.name, count(r.row_count), count(r.users), count(r.items), density(r.density)];
    if (before) cells.push(count(before[i][measure]), signed(r[measure] - before[i][measure]));
    const line = row(cells);
    line.firstChild.append(element("span", { className: "note", textContent: r.note }));
    if (r.limit_cut) line.className = "cut";
    body.append(line);
  }
  const caption = element("caption", { textContent: `With ${filter.describe(given, defaults)}` });
  table.replaceChildren(caption, top, body);
}

function drawAllOfFunnel() {
  if (!shown.funnel) return;
  const { rows, given } = shown.funnel, measure = $("funnel-measure").value;
  const before = shown.live && shown.live.rows;
  const bars = rows.map((r, i) => ({ label: r.name, value: r[measure], live: before && before[i][measure], name: r.name, step: r.step }))
    .filter((b) => !idle(b.step, given));
  drawFunnel($("funnel-chart"), bars, measure === "row_count" ? "rows" : measure, before && liveName);
  tabulate(rows, given, before);
  const changed = live ? filter.differing(given, live) : [];
  $("difference").textContent = !live ? "No live model to compare with."
    : changed.length === 0 ? `The filter of ${liveName} has these values, too.`
      : `${liveName} was learned with ${changed.map((n) => `${n} ${live[n] || "null"} (here ${given[n] || "null"})`).join(", ")}; its source is ${root.dataset.liveSource}.`;
}

async function askFunnel() {
  const given = { ...values };
  const answer = await ask("funnel", "/lab/funnel", filter.query(given, defaults));
  if (!answer) return;
  shown.funnel = { rows: answer.rows, given };
  say("funnel", computed(answer, given));
  drawAllOfFunnel();
}

async function askLive() {
  if (!live) return;
  const known = shown.funnel && filter.differing(shown.funnel.given, live).length === 0;
  shown.live = known ? shown.funnel : await ask("live", "/lab/funnel", filter.query(live, defaults));
  drawAllOfFunnel();
}

// --- activity ----------------------------------------------------------------------------------------------------

const rowConditions = filter.parameters.filter(filter.isOnRows).map((p) => p.name);

// The share of those with at most n rows.
function shareUpTo(points, n) {
  let share = 0;
  for (const p of points) {
    if (p.count > n) break;
    share = p.share;
  }
  return share;
}

const percent = (x) => `${(x * 100).toFixed(1)} %`;

function drawAllOfActivity() {
  if (!shown.activity) return;
  const { users, items, given } = shown.activity;
  const low = Number(values.min_items_for_user), high = Number(values.max_items_for_user), need = Number(values.min_users_for_item);
  drawActivity($("users-chart"), "users", users, [{ at: low, label: `at least ${count(low)}` }, { at: high, label: `at most ${count(high)}` }]);
  drawActivity($("items-chart"), "items", items, [{ at: need, label: `more than ${count(need)}` }]);
  const total = (points) => count(points.reduce((n, p) => n + p.how_many, 0));
  const few = shareUpTo(users, low - 1), upTo = shareUpTo(users, high), scarce = shareUpTo(items, need);
  const of = filter.describe(Object.fromEntries(filter.parameters.map(({ name }) =>
    [name, rowConditions.includes(name) ? given[name] : defaults[name]])), defaults);
  $("users-text").textContent = `Of ${total(users)} users ${percent(few)} have fewer than ${count(low)} rating rows, ` +
    `${percent(Math.max(0, upTo - few))} have ${count(low)} to ${count(high)} and stay, ${percent(1 - upTo)} have more. Conditions on rows: ${of}.`;
  $("items-text").textContent = `Of ${total(items)} items ${percent(1 - scarce)} have more than ${count(need)} rating rows and stay. ` +
    `Conditions on rows: ${of}.`;
}

async function askActivity() {
  const given = { ...values };
  const rows = Object.fromEntries(filter.parameters.map(({ name }) => [name, rowConditions.includes(name) ? given[name] : defaults[name]]));
  const answer = await ask("activity", "/lab/activity", filter.query(rows, defaults));
  if (!answer) return;
  const points = (list) => list.map((r) => ({ count: r.count, how_many: r.how_many, share: r.cumulative_share }));
  shown.activity = { users: points(answer.users), items: points(answer.items), given };
  say("activity", computed(answer, rows));
  drawAllOfActivity();
}

// --- sweep -------------------------------------------------------------------------------------------------------

const list = (text) => text.split(",").map((s) => s.trim()).filter(Boolean);
const same = (a, b) => text(a) === b || (b !== "" && Number(a) === Number(b));
const text = filter.text;

function drawSweep() {
  if (!shown.sweep) return;
  const { result, given } = shown.sweep;
  const others = { ...given, [result.x]: defaults[result.x], [result.y]: defaults[result.y] };
  const rest = filter.describe(others, defaults);
  drawGrid($("grid-place"), result, $("measure").value, `All other parameters: ${rest}`, (x, y) =>
    set({ ...given, [result.x]: x, [result.y]: y }));
  markSweep();
}

function markSweep() {
  if (!shown.sweep) return;
  const { result, given } = shown.sweep;
  const others = filter.differing(values, given).filter((name) => name !== result.x && name !== result.y);
  if (others.length) return markCurrent($("grid-place")); // no cell has these values
  markCurrent($("grid-place"), ...[result.x, result.y].map((n, i) =>
    (i ? result.y_values : result.x_values).find((v) => same(values[n], v))));
}

async function askSweep() {
  const given = { ...values }, pairs = filter.query(given, defaults);
  sweeping = true;
  write();
  for (const name of ["x", "y"]) {
    pairs.set(name, $(name).value);
    pairs.set(`${name}_values`, list($(`${name}_values`).value).join(","));
  }
  const answer = await ask("sweep", "/lab/sweep", pairs);
  if (!answer) return;
  const result = { x: answer.x, y: answer.y, x_values: list(answer.x_values), y_values: list(answer.y_values) };
  result.at = (i, j) => answer.rows.find((r) => r.x_place === i + 1 && r.y_place === j + 1);
  shown.sweep = { result, given };
  say("sweep", `computed in ${(answer.elapsed_ms / 1000).toFixed(2)} s: ${answer.rows.length} combinations`);
  drawSweep();
}

function fillSweepFields(pairs) {
  for (const p of filter.parameters) {
    $("x").append(new Option(p.name, p.name));
    $("y").append(new Option(p.name, p.name));
  }
  for (const m of measures) $("measure").append(new Option(m.label, m.name));
  for (const [name, standard] of [["x", "max_items_for_user"], ["y", "min_users_for_item"]]) {
    const preset = () => filter.parameters.find((p) => p.name === $(name).value).sweep;
    $(name).value = pairs.get(name) || standard;
    $(`${name}_values`).value = pairs.get(`${name}_values`) || preset();
    $(name).addEventListener("change", () => { $(`${name}_values`).value = preset(); });
  }
  $("measure").value = measures.some((m) => m.name === pairs.get("measure")) ? pairs.get("measure") : "row_count";
}

// --- presets -----------------------------------------------------------------------------------------------------

async function askPresets() {
  const answer = await ask("presets", "/lab/presets", new URLSearchParams());
  if (!answer || answer.rows.length === 0) return;
  $("preset").replaceChildren(...answer.rows.map((p) => new Option(p.name, p.name)));
  const chosen = () => answer.rows.find((p) => p.name === $("preset").value);
  const tell = () => { $("preset-note").textContent = [chosen().note, chosen().author].filter(Boolean).join(" · "); };
  $("preset").addEventListener("change", tell);
  $("load-preset").addEventListener("click", () => set(filter.complete(chosen().values, defaults)));
  tell();
}

// --- everything together -----------------------------------------------------------------------------------------

let timer;
function set(changes) {
  const rows = rowConditions.map((name) => values[name]).join("\n");
  values = { ...values, ...changes };
  fillFields();
  write();
  drawAllOfActivity();
  markSweep();
  clearTimeout(timer);
  timer = setTimeout(() => {
    askFunnel();
    if (rows !== rowConditions.map((name) => values[name]).join("\n")) askActivity();
  }, DEBOUNCE_MS);
}

async function copy(event) {
  const source = $(event.currentTarget.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    $("copied").textContent = "copied";
  } catch { // without https a browser may refuse: then it is marked, ready for Ctrl+C
    getSelection().selectAllChildren(source);
    $("copied").textContent = "marked: copy it with Ctrl+C";
  }
}

function begin() {
  const pairs = new URLSearchParams(location.search);
  $("fields").append(...filter.parameters.map(makeField));
  const given = {};
  for (const { name } of filter.parameters)
    if (pairs.has(name)) given[name] = pairs.get(name) === "null" ? "" : pairs.get(name);
  values = filter.complete(given, defaults);
  sweeping = pairs.has("x");
  fillSweepFields(pairs);
  fillFields();
  write();
  $("to-defaults").addEventListener("click", () => set(defaults));
  $("to-live").hidden = !live;
  $("to-live").addEventListener("click", () => set(live));
  $("filter").addEventListener("submit", (event) => event.preventDefault());
  $("sweep").addEventListener("submit", (event) => { event.preventDefault(); askSweep(); });
  $("funnel-measure").addEventListener("change", drawAllOfFunnel);
  $("measure").addEventListener("change", () => { drawSweep(); write(); });
  for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", copy);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { drawAllOfFunnel(); drawAllOfActivity(); });
  addEventListener("pagehide", () => Object.keys(running).forEach(stop));
  askFirst();
}

// One after the other: side by side they would share the database's cores, and the funnel would come last of all.
async function askFirst() {
  askPresets();
  await askFunnel();
  await askActivity();
  await askLive();
  if (sweeping) await askSweep();
}

begin();
