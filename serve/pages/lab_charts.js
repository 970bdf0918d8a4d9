// The three charts. Chart.js draws them on canvas; every number in them also stands in a table or a sentence.
import { colour, frame, number, show } from "./charts.js";
/* global Chart */

let funnelChart;
// bars: [{label, value, live}], in order; value and live may be null.
export function drawFunnel(canvas, bars, measure, liveName) {
  const datasets = [{ label: "this filter", data: bars.map((b) => b.value), backgroundColor: colour("--accent") }];
  if (liveName) datasets.push({ label: liveName, data: bars.map((b) => b.live), backgroundColor: colour("--soft") });
  const options = frame();
  options.indexAxis = "y";
  options.scales = { x: { beginAtZero: true, title: { display: true, text: measure } }, y: { grid: { display: false } } };
  options.plugins = { legend: { display: Boolean(liveName), position: "bottom" },
    tooltip: { callbacks: { label: (c) => `${c.dataset.label}: ${number.format(c.raw)} ${measure}` } } };
  funnelChart = show(funnelChart, canvas, { type: "bar", data: { labels: bars.map((b) => b.label), datasets }, options });
}

// Chart.js has no lines across a chart: this draws one at each threshold, with its value beside it.
const thresholdLines = {
  id: "thresholds",
  afterDatasetsDraw(chart, _, { lines }) {
    const { ctx, chartArea, scales } = chart;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("--ink");
    ctx.lineWidth = 2;
    ctx.setLineDash([5, 4]);
    ctx.font = `600 12px ${Chart.defaults.font.family}`;
    lines.forEach(({ at, label }, i) => {
      const x = scales.x.getPixelForValue(Math.min(Math.max(at, scales.x.min), scales.x.max));
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
      const left = x > (chartArea.left + chartArea.right) / 2;
      ctx.textAlign = left ? "right" : "left";
      ctx.fillText(label, x + (left ? -6 : 6), chartArea.top + 14 + 16 * i);
    });
    ctx.restore();
  },
};

const activityCharts = {};
// points: [{count, share}], ascending counts; share of users or items with at most so many rows. lines: [{at, label}]
export function drawActivity(canvas, who, points, lines) {
  const options = frame();
  const ink = colour("--accent");
  options.scales = {
    x: { type: "logarithmic", min: 1, title: { display: true, text: `rating rows of ${who === "users" ? "a user" : "an item"}` },
      ticks: { callback: (v) => (/^[125]0*$/.test(String(v)) ? number.format(v) : null), maxRotation: 0 } },
    y: { min: 0, max: 1, title: { display: true, text: "at most so many" }, ticks: { callback: (v) => `${Math.round(v * 100)} %` } },
  };
  options.interaction = { mode: "nearest", axis: "x", intersect: false };
  options.plugins = { legend: { display: false }, thresholds: { lines },
    tooltip: { callbacks: { title: ([c]) => `at most ${number.format(c.parsed.x)} rows`,
      label: (c) => `${(c.parsed.y * 100).toFixed(1)} % of the ${who}` } } };
  const data = { datasets: [{ data: points.map((p) => ({ x: p.count, y: p.share })), stepped: "before", borderColor: ink,
    backgroundColor: ink, borderWidth: 2, pointRadius: 0, fill: false }] };
  activityCharts[who] = show(activityCharts[who], canvas, { type: "line", data, options, plugins: [thresholdLines] });
}
