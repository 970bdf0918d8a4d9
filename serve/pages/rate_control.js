// The control that rates one item: stars on the data's own scale, or a number where they would be too many.
import { element } from "/dom.js";

const MOST_STARS = 10;
let made = 0;

// "detail; hint." of a problem.
export const spoken = (problem) => `${[problem.detail, problem.hint].filter(Boolean).join("; ")}.`;

// The values one can choose; none: a number is typed.
export function steps({ low, high, counts }) {
  const step = low === 0.5 ? 0.5 : 1, n = Math.round((high - low) / step) + 1;
  if (counts || high <= low || n > MOST_STARS) return [];
  return Array.from({ length: n }, (_, i) => low + i * step);
}

function stars(values, title, value, rate) {
  const group = element("fieldset", { className: "rate-stars" });
  const name = `rate-${++made}`;
  let arrows = false; // arrow keys pass over stars; only Enter or Space takes the one they stopped at
  const take = (input) => +input.value !== value && rate(+input.value);
  group.append(element("legend", { className: "rate-hidden", textContent: `Rate ${title}: arrows choose, Enter rates` }));
  for (const v of values) {
    const half = values[0] === 0.5 ? (v % 1 ? "left" : "right") : "whole";
    const input = element("input", { type: "radio", name, value: v, checked: v === value });
    const label = element("label", { className: `rate-star ${half}`, title: `${v}` });
    input.addEventListener("change", () => arrows || take(input));
    label.append(input, element("span", { className: "rate-shape" }),
      element("span", { className: "rate-hidden", textContent: v === 1 ? "1 star" : `${v} stars` }));
    group.append(label);
  }
  group.addEventListener("pointerdown", () => { arrows = false; });
  group.addEventListener("keydown", (event) => {
    arrows = event.key.startsWith("Arrow");
    if (event.key !== "Enter" && event.key !== " ") return;
    const chosen = group.querySelector("input:checked");
    if (event.key === "Enter") event.preventDefault();
    if (chosen) take(chosen);
  });
  return group;
}

function number({ low, high, counts }, title, value, rate) {
  const form = element("form", { className: "rate-number" });
  const input = element("input", { type: "number", step: "any", required: true, value: value ?? "" });
  if (counts) input.min = 0;
  else if (high > low) Object.assign(input, { min: low, max: high });
  input.setAttribute("aria-label", counts ? `How often you played ${title}` : `Your rating of ${title}`);
  form.append(input, element("button", { className: "button quiet", textContent: counts ? "Set" : "Rate" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    rate(+input.value);
  });
  return form;
}

// `rate` is called with a number, or with null to take the rating back.
export function control({ title, scale, value, rate }) {
  const values = steps(scale), whole = element("div", { className: "rate-control" });
  whole.append(values.length ? stars(values, title, value, rate) : number(scale, title, value, rate));
  if (value !== undefined) {
    const back = element("button", { type: "button", className: "rate-back", textContent: "Take back" });
    back.setAttribute("aria-label", `Take back ${value} for ${title}`);
    back.addEventListener("click", () => rate(null));
    whole.append(element("span", { className: "rate-value", textContent: value }), back);
  }
  return whole;
}
