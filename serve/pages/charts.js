// What all charts share: colours of the page, the frame, and how one is made anew. Chart.js draws on canvas.
/* global Chart */

export const number = new Intl.NumberFormat("en-US");
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function frame() {
  Chart.defaults.color = colour("--soft");
  Chart.defaults.borderColor = colour("--line");
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  // Not animated: they follow a slider, and what is drawn on the way would be wrong numbers.
  return { responsive: true, maintainAspectRatio: false, animation: false };
}

// Made anew each time, because its colours may have changed, too.
export function show(old, canvas, config) {
  if (old) old.destroy();
  return new Chart(canvas, config);
}
