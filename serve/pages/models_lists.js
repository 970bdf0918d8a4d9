// Two models' lists for one user, side by side. The lists are /api/v1/recs, as everybody gets them.
import { $, element, json, row, tabulate } from "./dom.js";

async function list(user, model, top) {
  const answer = await fetch(`/api/v1/recs?${new URLSearchParams({ user_id: user, model, top })}`, { headers: { Accept: "application/json" } });
  const body = await json(answer);
  if (!answer.ok) throw new Error([body.detail, body.hint].filter(Boolean).join(". "));
  return body;
}

const reasons = { personal: "learned from this user", folded_in: "this user's ratings place them in it", popular: "what most people rate" };
const kinds = { relevance: "relevance", rating: "predicted rating", count: "number of ratings" };

// A predicted rating may lie outside the scale of ratings; people are shown the nearest one within.
function shown(score, kind, scale) {
  const within = kind === "rating" && scale && scale.low < scale.high ? Math.min(Math.max(score, scale.low), scale.high) : score;
  return `${kinds[kind] || kind} ${within.toFixed(kind === "count" ? 0 : 3)}`;
}

function cell(item, { score_kind: kind, scale }, places, other) {
  if (!item) return element("span", { textContent: "–" });
  const box = element("span", {});
  const year = item.year && !item.title.includes(`(${item.year})`) ? ` (${item.year})` : "";
  box.append(`${item.title}${year}`, element("span", { className: "note", textContent: shown(item.score, kind, scale) }));
  if (places.has(item.id)) box.append(element("span", { className: "note", textContent: `also in model ${other}, place ${places.get(item.id)}` }));
  return box;
}

const places = (body) => new Map(body.items.map((item) => [item.id, item.rank]));
const head = (body) => `Model ${body.model}: ${reasons[body.reason] || body.reason}`;

function show(a, b) {
  const inA = places(a), inB = places(b), lines = [];
  for (let i = 0; i < Math.max(a.items.length, b.items.length); i++) {
    const line = row([String(i + 1), cell(a.items[i], a, inB, b.model), cell(b.items[i], b, inA, a.model)]);
    if (a.items[i] && inB.has(a.items[i].id)) line.cells[1].className = "both";
    if (b.items[i] && inA.has(b.items[i].id)) line.cells[2].className = "both";
    lines.push(line);
  }
  const shared = a.items.filter((item) => inB.has(item.id)).length;
  tabulate($("lists"), `The lists of user ${a.user_id}; what both hold is marked`, ["", head(a), head(b)], lines);
  return `${shared} of ${Math.max(a.items.length, b.items.length)} are in both lists`;
}

let asked = 0;
// scaleOf(model): {low, high} of ratings, where the model tells it.
export async function compareLists(user, a, b, top, scaleOf) {
  const mine = ++asked, status = $("lists-status");
  status.classList.remove("failed");
  status.textContent = "asking";
  try {
    const both = await Promise.all([list(user, a, top), list(user, b, top)]);
    for (const body of both) body.scale = scaleOf(body.model);
    if (mine === asked) status.textContent = show(...both);
  } catch (error) {
    if (mine !== asked) return;
    $("lists").replaceChildren();
    status.classList.add("failed");
    status.textContent = error.message;
  }
}
