// The filter's values: how they are written in links, in SQL and on a command line. Knows nothing of the page.

// What sliders walk through; a field takes any value.
const counts = [0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 2000, 5000, 10000];
const limits = [1000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000, 100000000];
const shares = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const sliders = { counts, limits, shares };

// In the order of trivet.user_item's signature: name, kind, meaning, step of the funnel, stops of the slider or none, values of
// a sweep.
export let parameters = [];

// The page has the table of them (include/trivet/model/filter_parameters.def).
export function know(list) {
  parameters = list.map((p) => ({ ...p, stops: sliders[p.slider], meaning: p.kind === "time" ? `${p.meaning}: 2015-04-01` : p.meaning }));
}

// Conditions on rows: the first steps of the funnel.
export const isOnRows = ({ step }) => step <= 4;

// Whether a step of the funnel has parameters, and all are at their defaults: then it repeats the numbers before it.
export function isIdle(step, values, defaults) {
  const acting = parameters.filter((p) => p.step === step);
  return acting.length > 0 && acting.every(({ name }) => equal(name, values, defaults));
}

// A value as text, as it stands in a field, a link and after --set; "" is SQL's null.
export function text(value) {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join(",") : String(value);
}

// {name: text} of every parameter out of an object with some of them.
export function complete(values, defaults) {
  const all = {};
  for (const { name } of parameters) all[name] = text(name in values ? values[name] : defaults[name]);
  return all;
}

export function equal(name, a, b) {
  return a[name] === b[name] || (a[name] !== "" && b[name] !== "" && Number(a[name]) === Number(b[name]));
}

// The names of those that differ from `from`.
export function differing(values, from) {
  return parameters.map((p) => p.name).filter((name) => !equal(name, values, from));
}

export function query(values, defaults) {
  const pairs = new URLSearchParams();
  for (const name of differing(values, defaults)) pairs.set(name, values[name] === "" ? "null" : values[name]);
  return pairs;
}

const quoted = (s) => `'${s.replaceAll("'", "''")}'`;

function literal({ kind }, value) {
  if (value === "") return "null";
  if (kind === "names") return `array[${value.split(",").map(quoted).join(", ")}]`;
  return kind === "time" ? quoted(value) : value;
}

// "max_items_for_user => 200, genres => array['Drama']"
export function call(values, defaults) {
  const changed = differing(values, defaults);
  return parameters.filter((p) => changed.includes(p.name))
    .map((p) => `${p.name} => ${literal(p, values[p.name])}`).join(", ");
}

export function sql(values, defaults) {
  return `select * from trivet.user_item(${call(values, defaults)});`;
}

export function savePreset(values, defaults) {
  const rest = call(values, defaults);
  return `select trivet.save_preset('a_name'${rest ? `, ${rest}` : ""});`;
}

const word = (s) => (/^[\w=.,:@%+/-]+$/.test(s) ? s : `'${s.replaceAll("'", `'\\''`)}'`);

export function command(values, defaults) {
  const sets = differing(values, defaults).map((name) => ` --set ${word(`${name}=${values[name] === "" ? "null" : values[name]}`)}`);
  return `trivet-train fit${sets.join("")}`;
}

// What a number was computed with, for people: only what differs from the defaults, if anything does.
export function describe(values, defaults) {
  const changed = differing(values, defaults);
  return changed.length ? changed.map((name) => `${name} ${values[name] || "null"}`).join(", ") : "the defaults";
}
