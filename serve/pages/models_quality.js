// How good models are: evaluations, their curves, and searches, out of the journal.
import { $, element, row, tabulate } from "./dom.js";
import { number } from "./charts.js";
import { drawBars, drawLines } from "./models_charts.js";

// at: depends on the length of the list. `of_runs`: what the journal's list of evaluations has it as.
const measures = [
  { name: "ndcg", label: "NDCG", at: true, of_runs: "ndcg" }, { name: "rmse", label: "RMSE", of_runs: "rmse" },
  { name: "mae", label: "MAE" }, { name: "r2", label: "R2" },
  { name: "precision", label: "precision", at: true }, { name: "recall", label: "recall", at: true }, { name: "map", label: "MAP", at: true },
  { name: "hit_rate", label: "hit rate", at: true }, { name: "mrr", label: "MRR", at: true },
  { name: "coverage", label: "coverage", at: true, of_runs: "coverage" }, { name: "popularity", label: "popularity", at: true, of_runs: "popularity" },
  { name: "overlap", label: "overlap", at: true }, { name: "jaccard", label: "Jaccard", at: true },
];
const origins = { fit: "guarded the training of this model", search: "the best setting of this search" };
const RUNS_K = 10; // the list length of the evaluations' overview

const some = (x) => x !== null && x !== undefined;
const digits = (x) => (Math.abs(x) >= 100 ? number.format(Math.round(x)) : x.toFixed(Math.abs(x) >= 10 ? 1 : 3).replace(/^-(0\.0*)$/, "$1"));
export const value = (x) => (some(x) ? digits(x) : "");
// "0.426 (0.410 to 0.441)"
export const interval = (x, low, high) => value(x) + (some(x) && some(low) && some(high) ? ` (${digits(low)} to ${digits(high)})` : "");
const percent = (x) => `${Number((x * 100).toPrecision(3))} %`;
const told = (p) => interval(p.value ?? p.y, p.low, p.high);
const baselines = ["mean", "item_mean", "bias", "popular", "random"];
const line = (m) => ({ label: method(m), strong: m.is_model, shape: m.is_model ? 0 : 1 + baselines.indexOf(m.method), points: [] });
const method = (m) => (m.is_model ? `${m.method} (the model)` : m.method);

// {test: 0.2, kind: "random", seed: 1} -> "random, test 0.2, seed 1"
function splitText(split) {
  if (!split) return "";
  const { kind, fingerprint, ...rest } = split;
  return [kind, ...Object.entries(rest).filter(([, v]) => some(v) && v !== 0).map(([k, v]) => `${k.replaceAll("_", " ")} ${typeof v === "object" ? JSON.stringify(v) : v}`)].filter(Boolean).join(", ");
}

const settingsText = (settings) => Object.entries(settings || {}).map(([k, v]) => `${k} ${typeof v === "object" ? JSON.stringify(v) : v}`).join(", ");
const runName = (e) => `${e.run}: ${e.algorithm}${some(e.factors) ? `, ${e.factors} factors` : ""}`;

function sayMissing(status, what, command) {
  const said = element("span", { textContent: `${what}: ` });
  said.append(element("code", { textContent: command }), " makes one.");
  status.replaceChildren(said);
}

function choose(select, options, chosen) {
  select.replaceChildren(...options.map(([text, v]) => new Option(text, v)));
  select.value = options.some(([, v]) => String(v) === String(chosen)) ? chosen : options[0][1];
}

export class Quality {
  // journal: the answer of /models/journal; ask(run): that of /models/metrics; filterText(values): for people;
  // changed(name, value): the address is to hold it.
  constructor({ journal, ask, filterText, changed, wanted }) {
    Object.assign(this, { journal, ask, filterText, changed });
    this.answers = {};
    this.showEvaluations(wanted);
    this.showSearches(wanted);
  }

  async metricsOf(run) {
    return (this.answers[run] ??= this.ask(run));
  }

  // --- evaluations -------------------------------------------------------------------------------------------

  showEvaluations(wanted) {
    const list = this.journal.evaluations;
    if (list.length === 0) {
      sayMissing($("quality-status"), "No evaluation is in the journal yet", "trivet-train evaluate");
      return;
    }
    $("of-run").hidden = $("curves").hidden = false;
    const standard = list.find((e) => e.kind !== "search") || list[0]; // a search judges no baselines
    choose($("run"), list.map((e) => [`${runName(e)}, ${e.data || "?"}, ${this.filterText(e.filter)}`, e.run]), wanted.get("run") || standard.run);
    choose($("metric"), measures.map((m) => [m.label, m.name]), wanted.get("metric"));
    this.wantedK = wanted.get("k");
    const titles = ["run", "model and filter", `NDCG@${RUNS_K}`, "RMSE", `coverage@${RUNS_K}`, `popularity@${RUNS_K}`, "kept apart"];
    tabulate($("evaluations"), "Evaluations, the newest first; intervals are of 95 %", titles, list.map((e) => this.evaluationLine(e)));
    $("run").addEventListener("change", () => this.showRun());
    for (const name of ["metric", "k"]) $(name).addEventListener("change", () => { this.changed(name, $(name).value); this.drawRun(); });
    this.showRun(true);
  }

  evaluationLine(e) {
    const button = element("button", { type: "button", className: "button quiet", textContent: `${e.run}` });
    button.setAttribute("aria-label", `Show evaluation ${e.run}`);
    button.addEventListener("click", () => { $("run").value = e.run; this.showRun(); });
    const what = element("span", { textContent: `${e.algorithm}, ${settingsText(e.parameters)}; ${this.filterText(e.filter)}` });
    if (origins[e.kind]) what.append(element("span", { className: "note", textContent: origins[e.kind] }));
    const apart = element("span", { textContent: some(e.test_rows) ? `${number.format(e.test_rows)} ratings` : "" });
    apart.append(element("span", { className: "note", textContent: splitText(e.split) }));
    const line = row([button, what, interval(e.ndcg, e.ndcg_low, e.ndcg_high), interval(e.rmse, e.rmse_low, e.rmse_high),
      some(e.coverage) ? percent(e.coverage) : "", value(e.popularity), apart]);
    line.cells[1].className = "long";
    line.dataset.run = e.run;
    return line;
  }

  async showRun(first) {
    const run = Number($("run").value);
    if (!first) this.changed("run", run);
    for (const line of $("evaluations").tBodies[0].rows) line.classList.toggle("chosen", Number(line.dataset.run) === run);
    const status = $("run-status");
    status.classList.remove("failed");
    try {
      const answer = await this.metricsOf(run);
      if (run !== Number($("run").value)) return; // another was chosen meanwhile
      this.shown = { run, answer };
      choose($("k"), [...new Set(answer.lists.map((l) => l.k))].sort((a, b) => a - b).map((k) => [`${k} places`, k]), this.wantedK || RUNS_K);
      this.drawRun();
    } catch (error) {
      status.classList.add("failed");
      status.textContent = error.message;
    }
  }

  // The measure of a method learned from a share of the training data: {value, low, high}.
  measure(answer, m, name, k, fraction) {
    const same = (x) => x.method === m.method && x.is_model === m.is_model && x.train_fraction === fraction;
    const from = measures.find((x) => x.name === name).at ? answer.lists.find((l) => l.k === k && same(l)) : answer.methods.find(same);
    return { value: from ? from[name] : null, low: from ? from[`${name}_low`] : null, high: from ? from[`${name}_high`] : null };
  }

  drawRun() {
    if (!this.shown) return;
    const { run, answer } = this.shown, name = $("metric").value, k = Number($("k").value);
    const measured = measures.find((m) => m.name === name), title = measured.at ? `${measured.label}@${k}` : measured.label;
    const whole = Math.max(...answer.methods.map((m) => m.train_fraction)), methods = answer.methods.filter((m) => m.train_fraction === whole);
    const points = methods.map((m) => ({ label: m.method, strong: m.is_model, ...this.measure(answer, m, name, k, whole) })).filter((p) => some(p.value));
    const { holdout } = answer.methods[0], cold = holdout ? `; of ${number.format(holdout.cold_users)} users and ${number.format(holdout.cold_items)} items the training part knows nothing` : "";
    $("run-status").textContent = `Evaluation ${run}: ${holdout ? `${number.format(holdout.rows)} ratings of ${number.format(holdout.users)} users kept apart` : ""}${cold}. ${points.length ? "" : `No method has ${title} here.`}`;
    drawBars($("methods-chart"), points, title, told);
    this.tabulateMethods(answer, methods, k, whole);
    this.drawRuns(run, measured.of_runs || "ndcg");
    this.drawLearning(answer, name === "rmse" ? "rmse" : "ndcg", k);
    this.drawPopularity(answer);
  }

  tabulateMethods(answer, methods, k, whole) {
    const titles = ["method", ...measures.map((m) => (m.at ? `${m.label}@${k}` : m.label))];
    tabulate($("methods"), "The model, and what it has to beat", titles, methods.map((m) =>
      [method(m), ...measures.map(({ name }) => { const x = this.measure(answer, m, name, k, whole); return interval(x.value, x.low, x.high); })]));
  }

  // Only evaluations on the same test ratings can stand beside each other.
  drawRuns(run, name) {
    const list = this.journal.evaluations, chosen = list.find((e) => e.run === run), key = (e) => `${e.split.fingerprint ?? e.run} ${e.split.judged_on}`;
    const alike = list.filter((e) => key(e) === key(chosen)), points = alike.filter((e) => some(e[name])).map((e) =>
      ({ label: runName(e), value: e[name], low: e[`${name}_low`], high: e[`${name}_high`], strong: e.run === run }));
    const title = name === "rmse" ? "RMSE" : `${measures.find((m) => m.name === name).label}@${RUNS_K}`;
    drawBars($("runs-chart"), points, title, told);
    $("runs-note").textContent = `${points.length} of ${list.length} evaluations have ${title} and were made on the same data and split.`;
  }

  // --- its curves ----------------------------------------------------------------------------------------------

  drawLearning(answer, name, k) {
    const lines = new Map(), title = name === "rmse" ? "RMSE" : `NDCG@${k}`, shares = [...new Set(answer.methods.map((m) => m.train_fraction))].sort((a, b) => a - b);
    for (const m of answer.methods) {
      const x = this.measure(answer, m, name, k, m.train_fraction);
      if (!some(x.value)) continue;
      if (!lines.has(method(m))) lines.set(method(m), line(m));
      lines.get(method(m)).points.push({ x: m.train_fraction, y: x.value, low: x.low, high: x.high });
    }
    const series = [...lines.values()];
    series.forEach((s) => s.points.sort((a, b) => a.x - b.x));
    drawLines($("learning-chart"), series, { name: "share of the training data", min: 0, max: 1 }, { name: title, told, zero: name !== "rmse" });
    $("learning-note").textContent = shares.length > 1 ? "" : "Only one share was tried: trivet-train evaluate --train-fraction 0.1,0.3,1 draws the curve.";
    tabulate($("learning"), `${title} by the share of the training data`, ["method", ...shares.map(percent)], series.map((s) =>
      [s.label, ...shares.map((x) => { const p = s.points.find((q) => q.x === x); return p ? told(p) : ""; })]));
  }

  drawPopularity(answer) {
    const lines = new Map(), ks = [...new Set(answer.popularity.map((p) => p.k))].sort((a, b) => a - b);
    for (const p of answer.popularity) {
      if (!lines.has(method(p))) lines.set(method(p), line(p));
      lines.get(method(p)).points.push({ x: p.k, y: p.popularity });
    }
    const catalogue = answer.popularity.length ? answer.popularity[0].catalogue : null, series = [...lines.values()];
    if (some(catalogue)) series.push({ label: "the catalogue's mean", shape: 0, plain: true, points: ks.map((x) => ({ x, y: catalogue })) });
    drawLines($("popularity-chart"), series, { name: "first so many places", type: "logarithmic", min: ks[0], max: ks[ks.length - 1], at: ks },
      { name: "mean ratings of an item", zero: true, told: (p) => digits(p.y) });
    $("popularity-note").textContent = some(catalogue) ? `An item of the catalogue has ${digits(catalogue)} training ratings on average.` : "";
    tabulate($("popularity"), "Mean training ratings of what the first places hold", ["method", ...ks.map((k) => `at ${k}`)], series.map((s) =>
      [s.label, ...ks.map((k) => { const p = s.points.find((q) => q.x === k); return p ? digits(p.y) : ""; })]));
  }

  // --- searches ------------------------------------------------------------------------------------------------

  showSearches(wanted) {
    const list = this.journal.searches;
    if (list.length === 0) {
      sayMissing($("search-status"), "No search is in the journal yet", "trivet-train search --factors 4,8,12 --metric ndcg@10");
      return;
    }
    $("of-search").hidden = false;
    choose($("search"), list.map((s) => [`${s.run}: ${s.algorithm}, ${s.trials} settings by ${s.metric}${s.settings ? `, best ${settingsText(s.settings)}` : ""}`, s.run]), wanted.get("search"));
    $("search").addEventListener("change", () => { this.changed("search", $("search").value); this.showSearch(); });
    this.showSearch();
  }

  async showSearch() {
    const run = Number($("search").value), status = $("search-status");
    status.classList.remove("failed");
    try {
      const answer = await this.metricsOf(run);
      if (run !== Number($("search").value)) return;
      this.search = { run, answer };
      this.drawSearch();
    } catch (error) {
      status.classList.add("failed");
      status.textContent = error.message;
    }
  }

  drawSearch() {
    if (!this.search) return;
    const { run, answer } = this.search, { metric } = answer.trials[0] || {};
    const points = answer.factors.map((f) => ({ x: f.factors, y: f.value, low: f.low, high: f.high })), xs = points.map((p) => p.x);
    const pad = xs.length ? Math.max(1, Math.round((xs[xs.length - 1] - xs[0]) * 0.05)) : 1; // whiskers at the ends need room
    drawLines($("factors-chart"), [{ label: metric, strong: true, shape: 0, points }], { name: "factors", min: Math.max(0, xs[0] - pad), max: xs[xs.length - 1] + pad, at: xs.length <= 12 ? xs : undefined },
      { name: metric, told });
    $("search-status").textContent = `Search ${run} tried ${answer.trials.length} settings by ${metric}.`;
    tabulate($("trials"), "What was tried; the best is marked", ["trial", "settings", metric, "seconds"], answer.trials.map((t) => {
      const line = row([t.best ? `${t.place}, the best` : `${t.place}`, settingsText(t.settings), interval(t.value, t.low, t.high), value(t.seconds)]);
      line.cells[1].className = "long";
      if (t.best) line.className = "chosen";
      return line;
    }));
  }

  redraw() {
    this.drawRun();
    this.drawSearch();
  }
}
