// The filter's values: how they are written in links, in SQL and on a command line. Knows nothing of the page.

// In the order of trivet.user_item's signature. A slider walks through `stops`; a field takes any value.
const counts = [0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 2000, 5000, 10000];
const limits = [1000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000, 100000000];
const shares = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
export const parameters = [
  { name: "min_users_for_item", meaning: "an item stays with more than so many rating rows", stops: counts,
    sweep: "0,2,5,10,20,30,50,75,100,200" },
  { name: "min_items_for_user", meaning: "a user stays with at least so many rating rows", stops: counts,
    sweep: "1,3,5,10,20,30,50,75,100,200" },
  { name: "max_items_for_user", meaning: "and with at most so many", stops: counts,
    sweep: "20,30,50,75,100,150,200,500,1000,10000" },
  { name: "max_row_number", meaning: "at most so many pairs, in (user, item) order", stops: limits,
    sweep: "1000,10000,100000,1000000" },
  { name: "rated_since", meaning: "only ratings from that time on: 2015-04-01", kind: "time",
    sweep: "2000-01-01,2010-01-01" },
  { name: "rated_until", meaning: "only ratings before that time", kind: "time", sweep: "2010-01-01,2020-01-01" },
  { name: "genres", meaning: "only items of any of these: Drama,Comedy", kind: "names", sweep: "Drama,Comedy,Action" },
  { name: "min_rating", meaning: "only ratings of at least that value", kind: "real", sweep: "1,2,3,4,5" },
  { name: "sample_users", meaning: "only that share of the users, by a stable hash", stops: shares,
    sweep: "0.1,0.25,0.5,1" },
];

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
