// The heat map of a sweep: an HTML table, because Chart.js has none, and because a table can be read, walked with the
// arrow keys, and heard.

const number = new Intl.NumberFormat("en-US");
const percent = (x) => (x === null ? "" : `${(x * 100).toFixed(x < 0.0995 ? 2 : 1)} %`);

export const measures = [
  { name: "row_count", label: "rows", show: (v) => number.format(v) },
  { name: "users", label: "users", show: (v) => number.format(v) },
  { name: "items", label: "items", show: (v) => number.format(v) },
  { name: "density", label: "density", show: percent },
  { name: "share_of_rows", label: "share of all rows", show: percent },
  { name: "share_of_users", label: "share of all users", show: percent },
];

// Between the track's colour (least) and the accent's (most). Text stays readable because the accent is mixed in by
// less than half.
function paint(cell, value, least, most) {
  const part = most > least ? (value - least) / (most - least) : 1;
  cell.style.backgroundColor = `color-mix(in srgb, var(--accent) ${Math.round(45 * part)}%, var(--surface))`;
}

// texts: of each cell a list of pieces.
function head(texts, first) {
  const row = document.createElement("tr");
  for (const [i, text] of [first, ...texts].entries()) {
    const cell = document.createElement("th");
    cell.scope = i ? "col" : "row";
    cell.append(...text);
    row.append(cell);
  }
  return row;
}

// A name that may be broken after each underscore.
function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part) => [part, document.createElement("wbr")]);
}

// Only one cell can be reached with Tab; from there arrow keys lead on.
function walk(table, event) {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const cell = event.target.closest("td");
  if (!cell) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    cell.click();
  } else if (steps[event.key]) {
    event.preventDefault();
    const [down, right] = steps[event.key];
    const row = table.tBodies[0].rows[cell.parentElement.rowIndex - 1 + down];
    const next = row && row.cells[cell.cellIndex + right];
    if (next && next.tagName === "TD") focusOn(table, next);
  }
}

function focusOn(table, cell) {
  for (const other of table.querySelectorAll("td[tabindex='0']")) other.tabIndex = -1;
  cell.tabIndex = 0;
  cell.focus();
}

// result: {x, y, x_values: [text], y_values: [text], at(i, j): the row of the i-th and j-th}; take(x, y) is called for a cell.
export function drawGrid(place, result, measure, caption, take) {
  const { show, name, label } = measures.find((m) => m.name === measure);
  const table = document.createElement("table");
  table.className = "lab-grid";
  table.setAttribute("role", "grid");
  table.createCaption().textContent = caption;
  table.createTHead().append(head(result.x_values.map((x) => [x]), ["↓ ", ...breakable(result.y), document.createElement("br"), "→ ", ...breakable(result.x)]));
  const body = table.createTBody();
  const rows = result.x_values.flatMap((x, i) => result.y_values.map((y, j) => result.at(i, j))).filter((r) => r && r[name] !== null);
  const least = Math.min(...rows.map((r) => r[name])), most = Math.max(...rows.map((r) => r[name]));
  for (const [j, y] of result.y_values.entries()) {
    const line = body.insertRow();
    const title = document.createElement("th");
    title.scope = "row";
    title.textContent = y;
    line.append(title);
    for (const [i, x] of result.x_values.entries()) {
      const found = result.at(i, j);
      const cell = line.insertCell();
      cell.tabIndex = -1;
      cell.dataset.x = x;
      cell.dataset.y = y;
      if (found && found[name] !== null) {
        cell.textContent = show(found[name]);
        cell.setAttribute("aria-label", `${result.x} ${x}, ${result.y} ${y}: ${show(found[name])} ${label}`);
        paint(cell, found[name], least, most);
        cell.addEventListener("click", () => { focusOn(table, cell); take(x, y); });
      } else {
        cell.className = "empty";
        cell.textContent = "–";
        cell.setAttribute("aria-label", `${result.x} ${x}, ${result.y} ${y}: not possible`);
      }
    }
  }
  const first = table.querySelector("td");
  if (first) first.tabIndex = 0;
  table.addEventListener("keydown", (event) => walk(table, event));
  place.replaceChildren(table);
}

// Marks the cell whose values the filter has now.
export function markCurrent(place, x, y) {
  for (const cell of place.querySelectorAll("td"))
    cell.setAttribute("aria-selected", String(cell.dataset.x === x && cell.dataset.y === y));
}
