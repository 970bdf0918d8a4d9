// Small parts of pages that scripts fill: elements, rows and tables.

export const $ = (id) => document.getElementById(id);

export function element(tag, attributes) {
  return Object.assign(document.createElement(tag), attributes);
}

// The data set that this page was made of, by its number; "": not known. Ids of another are other users and other items, so whatever
// is asked for afterwards names it (same), and nothing of another is shown beside it.
export const dataset = $("content").dataset.dataset;
export const OTHER_DATA = "Another data set is live now; reload the page.";
export const same = () => (dataset ? `&dataset=${dataset}` : "");

// A line of a table: a head's with scope "col"; otherwise its first cell is its title. A cell is text or a node.
export function row(cells, scope) {
  const line = document.createElement("tr");
  cells.forEach((cell, i) => {
    const box = element(i && !scope ? "td" : "th", {});
    if (box.tagName === "TH") box.scope = scope || "row";
    box.append(cell);
    line.append(box);
  });
  return line;
}

// The JSON of an answer. Ids are integers of 64 bits, and JavaScript's numbers are exact up to 2^53: integers beyond that are
// kept as text. Strings of the JSON are matched whole, so that digits in a title stay as they are.
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
export async function json(answer) {
  const text = await answer.text();
  return JSON.parse(text.replace(TOKEN, (t) => (/^-?\d+$/.test(t) && !Number.isSafeInteger(+t) ? `"${t}"` : t)));
}

// Fills a table anew; rows are lists of cells, or lines made before.
export function tabulate(table, caption, titles, rows) {
  const head = document.createElement("thead"), body = document.createElement("tbody");
  head.append(row(titles, "col"));
  body.append(...rows.map((r) => (Array.isArray(r) ? row(r) : r)));
  table.replaceChildren(element("caption", { textContent: caption }), head, body);
}
