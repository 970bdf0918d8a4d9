// The control that rates one item: stars on the data's own scale, its values where it begins elsewhere than stars do, or a number
// where they would be too many. Of plays it adds one more.
import { element } from "/dom.js";

const MOST_STARS = 10;
let made = 0;

// "detail; hint." of a problem.
export const spoken = (problem) => `${[problem.detail, problem.hint].filter(Boolean).join("; ")}.`;

// A value as people read it.
export function amount(value, { counts }) {
  return counts ? `${value.toLocaleString("en-US")} ${value === 1 ? "play" : "plays"}` : `${value}`;
}

// Where all of few ratings were even, or the model does not tell its step, whole numbers are steps, too.
function stepOf({ low, high, step }) {
  const whole = Number.isInteger(low) && Number.isInteger(high) && high - low < MOST_STARS;
  if (!step) return low === 0.5 ? 0.5 : whole ? 1 : 0;
  return whole && step > 1 ? 1 : step;
}

// The values one can choose; none: a number is typed. They end with the scale's own end, and no sum of steps that is rounded to
// beyond it.
export function steps(scale) {
  const { low, high, counts } = scale, step = stepOf(scale), n = Math.round((high - low) / step);
  if (counts || high <= low || !step || n >= MOST_STARS || Math.abs(low + n * step - high) > step / 1000) return [];
  return Array.from({ length: n + 1 }, (_, i) => (i === n ? high : +(low + i * step).toPrecision(6)));
}

// The shape of a value's star; none: the scale begins where no stars do, so that values are written out.
function shape(v, values) {
  const first = values[0], step = values[1] - first;
  if (!(first === 0.5 && step === 0.5) && !(first === 1 && (step === 0.5 || step === 1))) return "named";
  if (step === 1 || v === 1 && first === 1) return "whole";
  return v % 1 ? "left" : "right";
}

function stars(values, title, value, rate) {
  const group = element("fieldset", { className: "rate-stars" });
  const name = `rate-${++made}`;
  let arrows = false; // arrow keys pass over stars; only Enter or Space takes the one they stopped at
  const take = (input) => +input.value !== value && rate(+input.value);
  group.append(element("legend", { className: "rate-hidden", textContent: `Rate ${title}: arrows choose, Enter rates` }));
  for (const v of values) {
    const kind = shape(v, values), named = kind === "named";
    const input = element("input", { type: "radio", name, value: v, checked: v === value });
    const label = element("label", { className: `rate-star ${kind}`, title: `${v}` });
    input.addEventListener("change", () => arrows || take(input));
    if (named) label.append(input, element("span", { textContent: v }));
    else label.append(input, element("span", { className: "rate-shape" }),
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

function number({ low, high }, title, value, rate) {
  const form = element("form", { className: "rate-number" });
  const input = element("input", { type: "number", step: "any", required: true, value: value ?? "" });
  if (high > low) Object.assign(input, { min: low, max: high, placeholder: `${low} to ${high}` });
  input.setAttribute("aria-label", high > low ? `Your rating of ${title}, from ${low} to ${high}` : `Your rating of ${title}`);
  form.append(input, element("button", { className: "button quiet", textContent: "Rate" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    rate(+input.value);
  });
  return form;
}

function oneMore(title, rate) {
  const button = element("button", { type: "button", className: "button quiet rate-more", textContent: "One more play" });
  button.setAttribute("aria-label", `One more play of ${title}`);
  button.addEventListener("click", () => rate("more"));
  return button;
}

function choice(scale, title, value, rate) {
  if (scale.counts) return oneMore(title, rate);
  const values = steps(scale);
  return values.length ? stars(values, title, value, rate) : number(scale, title, value, rate);
}

// `rate` is called with a number, with "more" for one more play, or with null to take all back.
export function control({ title, scale, value, rate }) {
  const whole = element("div", { className: "rate-control" });
  whole.append(choice(scale, title, value, rate));
  if (value !== undefined) {
    const back = element("button", { type: "button", className: "rate-back", textContent: scale.counts ? "Remove" : "Take back" });
    back.setAttribute("aria-label", scale.counts ? `Remove ${amount(value, scale)} of ${title}` : `Take back ${value} for ${title}`);
    back.addEventListener("click", () => rate(null));
    whole.append(element("span", { className: "rate-value", textContent: amount(value, scale) }), back);
  }
  return whole;
}
