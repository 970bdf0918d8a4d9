// The charts of /models: bars and lines with 95 % intervals. Every number in them also stands in a table.
import { colour, frame, number, show } from "./charts.js";

// Chart.js has no intervals: this draws one through each point that has `low` and `high`.
const whiskers = {
  id: "whiskers",
  afterDatasetsDraw(chart) {
    const { ctx, scales } = chart, across = chart.options.indexAxis === "y";
    const scale = across ? scales.x : scales.y;
    ctx.save();
    ctx.lineWidth = 2;
    chart.data.datasets.forEach((set, s) => {
      if (!chart.isDatasetVisible(s)) return;
      ctx.strokeStyle = across ? colour("--ink") : set.borderColor;
      chart.getDatasetMeta(s).data.forEach((at, i) => {
        const { low, high } = set.intervals[i] || {};
        if (low === undefined || low === null || high === null) return;
        const from = scale.getPixelForValue(low), to = scale.getPixelForValue(high), half = 4;
        ctx.beginPath();
        for (const end of [from, to]) {
          if (across) { ctx.moveTo(end, at.y - half); ctx.lineTo(end, at.y + half); } else { ctx.moveTo(at.x - half, end); ctx.lineTo(at.x + half, end); }
        }
        if (across) { ctx.moveTo(from, at.y); ctx.lineTo(to, at.y); } else { ctx.moveTo(at.x, from); ctx.lineTo(at.x, to); }
        ctx.stroke();
      });
    });
    ctx.restore();
  },
};

const charts = {};
function draw(canvas, config) {
  charts[canvas.id] = show(charts[canvas.id], canvas, { ...config, plugins: [whiskers] });
}

// Chart.js looks at the points alone, so that intervals could end outside.
const ends = (points) => points.flatMap((p) => [p.low, p.high]).filter((v) => v !== null && v !== undefined);
const room = (points) => { const all = ends(points); return all.length ? { suggestedMin: Math.min(...all), suggestedMax: Math.max(...all) } : {}; };

// points: [{label, value, low, high, strong}], the first at the top; told: how a value is written.
export function drawBars(canvas, points, name, told) {
  const options = frame();
  options.indexAxis = "y";
  options.scales = { x: { ...room(points), beginAtZero: true, title: { display: true, text: name } }, y: { grid: { display: false } } };
  options.plugins = { legend: { display: false }, tooltip: { callbacks: { label: (c) => told(points[c.dataIndex]) } } };
  const data = { labels: points.map((p) => p.label), datasets: [{ data: points.map((p) => p.value), intervals: points, maxBarThickness: 22,
    backgroundColor: points.map((p) => colour(p.strong ? "--accent" : "--soft")) }] };
  draw(canvas, { type: "bar", data, options });
}

// Shape and dash tell the lines apart where colours cannot.
const shapes = ["circle", "triangle", "rect", "rectRot", "star", "cross", "crossRot"];
const dashes = [[], [6, 4], [2, 3], [8, 3, 2, 3], [12, 4], [4, 2]];

// series: [{label, points: [{x, y, low, high}], shape, strong, plain}]; shape: a small number; plain: a line without points. x.at: where its ticks are.
export function drawLines(canvas, series, x, y) {
  const options = frame();
  options.scales = { x: { type: x.type || "linear", title: { display: true, text: x.name }, min: x.min, max: x.max,
      ticks: { autoSkip: !x.at, maxRotation: 0, callback: (v) => number.format(v) }, afterBuildTicks: (axis) => { if (x.at) axis.ticks = x.at.map((value) => ({ value })); } },
    y: { ...room(series.flatMap((s) => s.points)), title: { display: true, text: y.name }, beginAtZero: Boolean(y.zero) } };
  options.plugins = { legend: { position: "bottom", labels: { usePointStyle: true, boxHeight: 7 } },
    tooltip: { callbacks: { title: ([c]) => `${x.name}: ${number.format(c.parsed.x)}`, label: (c) => `${c.dataset.label}: ${y.told(c.raw)}` } } };
  const datasets = series.map((s) => {
    const ink = colour(s.strong ? "--accent" : "--soft");
    return { label: s.label, data: s.points, intervals: s.points, borderColor: ink, backgroundColor: ink, borderWidth: s.strong ? 3 : 1.5,
      pointStyle: s.plain ? "line" : shapes[s.shape % shapes.length], pointRadius: s.plain ? 0 : 4, borderDash: s.strong ? [] : dashes[s.shape % dashes.length], fill: false, clip: false };
  });
  draw(canvas, { type: "line", data: { datasets }, options });
}
