// What pages with a rating box do: every element with data-item gets a control, and after a rating the parts of the page
// that follow from it are fetched anew.
import { $, OTHER_DATA, dataset, element, json, same } from "/dom.js";
import { amount, control, spoken } from "/rate_control.js";
import { send, tell } from "/rate_send.js";

const box = $("rate"), { user, did } = box.dataset;
const { low, high, step, counts } = box.dataset, scale = { low: +low, high: +high, step: +step, counts: counts === "1" };
const parts = ["reason-part", "ranking-part", "rated-part", "progress-part"];
const known = new Map(); // the user's ratings by item, as far as this page has seen them

function decorate(root) {
  for (const row of root.querySelectorAll("[data-item]")) {
    if (row.dataset.rating) known.set(row.dataset.item, +row.dataset.rating);
    equip(row);
  }
}

function equip(row) {
  const { item, title } = row.dataset;
  const made = control({ title, scale, value: known.get(item), rate: (value) => change(row, value) });
  row.querySelector(".rate-control")?.remove();
  (row.querySelector(".what") || row).append(made);
}

// --- after a rating

// Where the focus goes when what had it was replaced: to the same item, wherever it stands now, or to the list.
function refocus(item) {
  if (document.activeElement !== document.body) return;
  const row = document.querySelector(`[data-item="${CSS.escape(item)}"]`);
  const target = row?.querySelector("input:checked") || row?.querySelector("input, .rate-more") || $("ranking");
  target?.focus({ preventScroll: true });
}

async function follow(item) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!answer.ok) throw new Error("The rating is safe, but the list could not be read again; reload the page.");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (page.getElementById("content").dataset.dataset !== dataset) throw new Error(`The rating is safe. ${OTHER_DATA}`);
  for (const id of parts) {
    const now = $(id), next = page.getElementById(id);
    if (!now || !next) continue;
    now.replaceWith(next);
    decorate(next);
  }
  for (const row of document.querySelectorAll("[data-item]"))
    if (row.dataset.item === item) equip(row);
  refocus(item);
}

let turn = Promise.resolve(); // one change at a time, in the order they were made
const change = (row, value) => (turn = turn.then(() => changeNow(row.dataset, value)));

async function changeNow({ item, title }, value) {
  try {
    const { later, value: now } = await send(user, item, value);
    if (value === null) known.delete(item);
    else known.set(item, now);
    await follow(item);
    const what = value === null ? `${scale.counts ? "Removed" : "Took back"} ${title}.` : `${did} ${title}${scale.counts ? ":" : ""} ${amount(now, scale)}.`;
    tell(`${what} ${later ? "It is safe, and counts in a moment." : $("ranking") ? "The list is new." : ""}`);
  } catch (error) {
    tell(error.message, true);
    for (const row of document.querySelectorAll("[data-item]"))
      if (row.dataset.item === item) equip(row);
  }
}

// --- the search

let asked = 0, timer;

function found(item) {
  const year = item.year ? ` (${item.year})` : "", title = item.title ?? `item ${item.id}`;
  const name = year && title.endsWith(year) ? title.slice(0, -year.length) : title;
  const row = element("li", { className: "rate-result" });
  Object.assign(row.dataset, { item: String(item.id), title: name });
  row.append(element("span", { className: "title", textContent: name }),
    element("span", { className: "year", textContent: item.year ? ` ${item.year}` : "" }));
  return row;
}

async function ownRatings() {
  const answer = await fetch(`/api/v1/users/${encodeURIComponent(user)}?model=live${same()}`);
  if (!answer.ok) return; // nobody knows the user yet
  for (const r of (await json(answer)).items) known.set(String(r.id), r.rating);
}

function forgetFound(why) {
  $("rate-found").replaceChildren();
  tell(why, true);
}

async function search() {
  const words = $("rate-q").value.trim(), number = ++asked;
  if (!words) return $("rate-found").replaceChildren();
  const answer = await fetch(`/api/v1/items?top=8&q=${encodeURIComponent(words)}${same()}`).catch(() => null);
  const body = answer && await json(answer).catch(() => null);
  if (body?.parameter === "dataset" || (answer?.ok && String(body.dataset ?? "") !== dataset)) return forgetFound(OTHER_DATA);
  if (!answer?.ok) return tell(body?.detail ? spoken(body) : "The search did not answer; try again.", true);
  await ownRatings().catch(() => {}); // without them, what was rated before is shown as new
  if (number !== asked) return; // a later search is under way
  $("rate-found").replaceChildren(...body.items.map(found));
  decorate($("rate-found"));
  if (body.items.length === 0)
    $("rate-found").append(element("li", { className: "muted", textContent: "No title has these words." }));
}

box.hidden = false;
decorate(document);
$("rate-q").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, 250);
});
