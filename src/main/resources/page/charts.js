// The two charts of the last minute, by uPlot.
import uPlot from './uplot.js';
import { byId, millisText } from './dom.js';

const HEIGHT = 190;
const charts = [];

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const axis = (more) => ({
  stroke: () => colour('soft'),
  grid: { stroke: () => colour('line'), width: 1 },
  ticks: { show: false },
  font: '12px Inter, ui-sans-serif, system-ui, sans-serif',
  ...more,
});

const seconds = axis({
  size: 26,
  space: 60,
  grid: { show: false },
  values: (plot, splits) => splits.map((split) => (split === 0 ? 'now' : `−${-split} s`)),
  splits: () => [-60, -45, -30, -15, 0],
});

function plot(place, series, values, range) {
  const options = {
    width: place.clientWidth,
    height: HEIGHT,
    padding: [8, 14, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [-60, 0] }, y: { range } },
    axes: [seconds, axis({ size: 54, values, space: 34 })],
    series: [{}, ...series],
  };
  const chart = new uPlot(options, [[], ...series.map(() => [])], place);
  charts.push(chart);
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  return chart;
}

const soft = (name, share) => () => `color-mix(in srgb, ${colour(name)} ${share}%, transparent)`;
const steps = uPlot.paths.stepped({ align: 1 });
const bars = uPlot.paths.bars({ size: [0.7, 14] });

let first;
let answers;

function open() {
  first = plot(byId('chart-first'), [
    { stroke: () => colour('p99'), width: 1.5, dash: [5, 4], spanGaps: false, points: { show: false } },
    { stroke: () => colour('good'), width: 2.5, fill: soft('good', 14), spanGaps: false, points: { show: false } },
  ], (chart, splits) => splits.map((split) => (split === 0 ? '0' : millisText(split))), (chart, low, high) => [0, Math.max(10, (high ?? 0) * 1.15)]);
  answers = plot(byId('chart-answers'), [
    { stroke: () => colour('good'), width: 2, fill: soft('good', 22), paths: steps, points: { show: false } },
    { stroke: () => colour('warn'), width: 1, fill: () => colour('warn'), paths: bars, points: { show: false } },
    { stroke: () => colour('bad'), width: 1, fill: () => colour('bad'), paths: bars, points: { show: false } },
  ], (chart, splits) => splits.map((split) => (Number.isInteger(split) ? String(split) : '')), (chart, low, high) => [0, Math.max(4, (high ?? 0) * 1.15)]);
}

const none = (values) => values.map((value) => value || null);

/** Draws a snapshot's last minute. */
export function showCharts(history) {
  if (!first) open();
  const length = history.whole.length;
  const x = history.whole.map((value, index) => index - length + 1);
  first.setData([x, history.firstOutputP99Millis, history.firstOutputP50Millis]);
  answers.setData([x, history.whole, none(history.moved), none(history.lost)]);
}

/** Draws again in the colours that hold now. */
export function recolour() {
  for (const chart of charts) chart.redraw(false, true);
}
