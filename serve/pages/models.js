// The page /models: which models there are, how good they are, what they recommend. The address holds what is shown.
import { number } from "./charts.js";
import { $, element, json, row, tabulate } from "./dom.js";
import * as filter from "./lab_filter.js";
import { compareLists } from "./models_lists.js";
import { Quality } from "./models_quality.js";

filter.know(JSON.parse($("models").dataset.parameters));
const defaults = filter.complete(JSON.parse($("models").dataset.defaults), {});
const address = new URLSearchParams(location.search);
const STANDARD_TOP = 15;
let kept = [], journal = null, quality = null;
let everyone = []; // kept models of all data sets; `kept` has those of the one that is shown

function changed(name, value) {
  if (value === null || value === "") address.delete(name);
  else address.set(name, value);
  history.replaceState(null, "", `/models${address.size ? `?${address}` : ""}`);
}

async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer) throw new Error("this server does not answer");
  const body = await json(answer);
  if (!answer.ok) throw new Error([body.detail, body.hint].filter(Boolean).join(". "));
  return body;
}

// --- versions ----------------------------------------------------------------------------------------------------

const count = (n) => (n === null || n === undefined ? "" : number.format(n));
const filterText = (values) => filter.describe(filter.complete(values || {}, defaults), defaults);

function age(from) {
  const seconds = (Date.now() - Date.parse(from)) / 1000;
  for (const [size, name] of [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]])
    if (seconds >= size || size === 1) {
      const n = Math.max(0, Math.floor(seconds / size));
      return `${n} ${name}${n === 1 ? "" : "s"}`;
    }
  return "";
}

// --- data sets: one is shown at a time

const dataOf = (description) => (description.data && (description.data.dataset ?? description.data.name)) || "";
const nameOf = (m) => journal?.models.find((j) => j.model === m.number)?.data ?? dataOf(m.description);

const rowsOf = (list, shown) => list.filter((j) => (j.data || "") === shown);

// The data set that the address says, or the live model's, or that of the newest model.
function chooseData() {
  const names = [...new Set([...everyone.map(nameOf), ...(journal ? [...journal.models, ...journal.evaluations, ...journal.searches].map((j) => j.data || "") : [])])];
  const live = everyone.find((m) => m.live) ?? everyone.at(-1), standard = live ? nameOf(live) : names[0];
  const shown = names.includes(address.get("data")) ? address.get("data") : standard;
  kept = everyone.filter((m) => nameOf(m) === shown);
  $("data-choice").hidden = names.length < 2;
  $("data").replaceChildren(...names.sort().map((name) => new Option(name || "without a name", name, false, name === shown)));
  return shown;
}

// What MongoDB keeps, and what the journal says of it.
function fromMongo({ number: model, live, description: d }) {
  const counts = d.counts || {};
  return { model, state: live ? "live" : "kept", since: d.created_at, algorithm: d.algorithm, factors: d.factors, score: d.score, filter: d.filter, source: d.source,
    ratings: counts.rows, users: counts.users, items: counts.items, served: counts.users_served, data: dataOf(d) };
}

function versions() {
  const shown = chooseData();
  const here = new Map(kept.map((m) => [m.number, fromMongo(m)]));
  for (const j of journal ? rowsOf(journal.models, shown) : []) {
    if (here.has(j.model)) Object.assign(here.get(j.model), { message: j.message, data: j.data, data_state: j.data_state });
    else if ($("all").checked) here.set(j.model, { ...j, since: j.finished || j.started, served: j.users_served });
  }
  return [...here.values()].sort((a, b) => b.model - a.model);
}

function versionLine(v) {
  const state = element("span", { className: v.state === "live" ? "models-live" : "", textContent: v.state });
  const method = element("span", { textContent: `${v.algorithm}, ${v.factors} factors` });
  method.append(element("span", { className: "note", textContent: v.score ? `its scores are: ${v.score}` : "" }));
  const learned = element("span", { textContent: filterText(v.filter) });
  const own = v.source && !v.source.startsWith("trivet.user_item(");
  if (own) learned.textContent = v.source;
  else learned.append(" ", element("a", { href: `/lab?${filter.query(filter.complete(v.filter || {}, defaults), defaults)}`, textContent: "in the lab" }));
  const old = { older: "made before its data was loaded last: trivet-train fit", away: "other data is loaded now", gone: "its data set was dropped" }[v.data_state];
  if (old) state.append(element("span", { className: "note", textContent: old }));
  if (v.message) learned.append(element("span", { className: "note", textContent: v.message }));
  const line = row([String(v.model), state, age(v.since), method, count(v.ratings), count(v.users), count(v.items), count(v.served), v.data || "", learned]);
  line.cells[9].className = "long";
  return line;
}

function showVersions() {
  const list = versions();
  tabulate($("versions"), "Models, the newest first; ratings, users and items are those learned from",
    ["model", "state", "age", "method", "ratings", "users", "items", "users served", "data", "filter"], list.map(versionLine));
  $("versions-status").textContent = kept.length || !journal ? `${kept.length} kept${journal ? `, ${rowsOf(journal.models, $("data").value).length} in the journal` : ""}`
    : "No model is kept yet: trivet-train fit makes one.";
  $("compare").hidden = kept.length === 0;
}

// --- two lists ---------------------------------------------------------------------------------------------------

function compare() {
  const scaleOf = (number) => kept.find((m) => m.number === number)?.description.scale;
  compareLists($("user_id").value.trim(), $("a").value, $("b").value, $("top").value.trim(), scaleOf);
}

function prepareLists() {
  if (kept.length === 0) return;
  const live = kept.find((m) => m.live) || kept[kept.length - 1], other = [...kept].reverse().find((m) => m !== live) || live;
  const example = (live.description.examples || [])[1] || (live.description.examples || [])[0];
  for (const [id, standard] of [["a", other], ["b", live]]) {
    $(id).replaceChildren(...[...kept].reverse().map((m) => new Option(`${m.number}${m.live ? ", live" : ""}: ${m.description.algorithm}, ${m.description.factors} factors, ${filterText(m.description.filter)}`, m.number)));
    const wanted = Number(address.get(id));
    $(id).value = kept.some((m) => m.number === wanted) ? wanted : standard.number;
  }
  $("user_id").value = address.get("user_id") || (example ? example.user_id : "");
  $("top").value = address.get("top") || STANDARD_TOP;
  $("compare").addEventListener("submit", (event) => {
    event.preventDefault();
    for (const id of ["user_id", "a", "b", "top"]) changed(id, $(id).value.trim());
    compare();
  });
  if ($("user_id").value) compare();
}

// --- everything together -----------------------------------------------------------------------------------------

function alertWith(text) {
  $("alert").textContent = text;
  $("alert").hidden = false;
}

async function askMongo() {
  try {
    everyone = (await ask("/api/v1/models")).models;
    showVersions();
  } catch (error) {
    $("versions-status").classList.add("failed");
    $("versions-status").textContent = error.message;
  }
}

async function askJournal() {
  try {
    journal = await ask("/models/journal");
  } catch (error) {
    alertWith(`${error.message}. Models and lists are shown all the same; their quality stands in the journal.`);
    $("quality-status").textContent = $("search-status").textContent = "The journal cannot be read.";
    return;
  }
  showVersions();
  const shown = $("data").value;
  quality = new Quality({ journal: { ...journal, evaluations: rowsOf(journal.evaluations, shown), searches: rowsOf(journal.searches, shown) }, ask: (run) => ask(`/models/metrics?run=${run}`), filterText, changed, wanted: address });
}

$("all").checked = address.get("all") === "1";
$("all").addEventListener("change", () => { changed("all", $("all").checked ? 1 : null); showVersions(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => quality && quality.redraw());
$("data").addEventListener("change", () => {
  const data = $("data").value;
  location.assign(`/models?${new URLSearchParams({ data })}`); // what else the address says is of the other data set
});
askMongo().then(askJournal).then(prepareLists);
