// What stands on the terminal at the end, and NAME.json beside it. Without any library from elsewhere, so that it works
// without a network.

import { BASE, MODEL, OUT } from './env.js';
import { OUTCOMES } from './reading.js';

const pad = (text, width) => String(text).padEnd(width);
const right = (text, width) => String(text).padStart(width);
const ms = (value) => (value >= 10000 ? `${(value / 1000).toFixed(1)}s` : `${value.toFixed(value < 10 ? 1 : 0)}ms`);
const percent = (value) => `${(value * 100).toFixed(value > 0 && value < 0.01 ? 2 : 1)}%`;

/**
 * Makes a script's handleSummary.
 *
 * @param name the script's name, and the file's
 * @param more what it has to say besides, as a function from k6's summary to lines
 */
export function summary(name, more) {
  return (data) => {
    const result = { stdout: render(name, data, more ? more(data) : []) };
    if (OUT) {
      result[`${OUT}/${name}.json`] = JSON.stringify(data, null, 1);
    }
    return result;
  };
}

function render(name, data, more) {
  const seconds = (data.state.testRunDurationMs / 1000).toFixed(1);
  const lines = ['', `${name}: ${seconds} s against ${BASE}, model ${MODEL}`, ''];
  lines.push(...answers(data.metrics, seconds), ...trends(data.metrics), ...checks(data.root_group), ...more);
  lines.push(...thresholds(data.metrics), '');
  return lines.join('\n');
}

function answers(metrics, seconds) {
  const counts = OUTCOMES.map((outcome) => [outcome, countOf(metrics, `outcome_${outcome}`)]);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  if (all === 0) {
    return [];
  }
  const lines = [`  answers    ${all}: ${counts.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`];
  const made = countOf(metrics, 'stream_tokens');
  if (made > 0) {
    lines.push(`  tokens     ${made}, ${(made / seconds).toFixed(0)} a second`);
  }
  if (metrics.stream_good && metrics.stream_good.values.passes + metrics.stream_good.values.fails > 0) {
    const { passes, rate } = metrics.stream_good.values;
    lines.push(`  goodput    ${(passes / seconds).toFixed(1)} good streams a second, ${percent(rate)} of them all`);
  }
  const dropped = countOf(metrics, 'dropped_iterations');
  if (dropped > 0) {
    lines.push(`  not sent   ${dropped}: k6 had no free virtual user (MAX_VUS)`);
  }
  return lines.concat('');
}

function trends(metrics) {
  const rows = [['stream_head', 'head'], ['stream_ttft', 'first token'], ['stream_itl', 'between tokens'],
    ['stream_duration', 'stream']].filter(([name]) => metrics[name] && metrics[name].values.max > 0);
  if (rows.length === 0) {
    return [];
  }
  return [`  ${pad('', 16)}${['p50', 'p95', 'p99', 'max'].map((head) => right(head, 9)).join('')}`]
    .concat(rows.map(([name, label]) => `  ${pad(label, 16)}${cells(metrics[name].values)}`), '');
}

/** p50, p95, p99 and the largest of a trend, as columns. */
export function cells(values) {
  return [values.med, values['p(95)'], values['p(99)'], values.max].map((value) => right(ms(value), 9)).join('');
}

/** A counter's count; 0 for one that never was. */
export function countOf(metrics, name) {
  return metrics[name] ? metrics[name].values.count : 0;
}

function checks(group) {
  const lines = group.checks.map((each) => `  ${each.fails === 0 ? '✓' : '✗'} ${each.name}`);
  return lines.length > 0 ? lines.concat('') : lines;
}

function thresholds(metrics) {
  const lines = [];
  Object.keys(metrics).sort().forEach((name) => {
    Object.keys(metrics[name].thresholds || {}).forEach((rule) => {
      if (/^(max|count)>=0$/.test(rule)) {
        return; // There only to be shown elsewhere.
      }
      const mark = metrics[name].thresholds[rule].ok ? '✓' : '✗';
      lines.push(`  ${mark} ${pad(name, 28)} ${pad(rule, 12)} ${found(metrics[name], rule)}`);
    });
  });
  return lines.length > 0 ? ['  thresholds'].concat(lines) : lines;
}

function found(metric, rule) {
  const stat = /^(p\([0-9.]+\)|[a-z]+)/.exec(rule)[1];
  const value = metric.values[stat];
  if (value === undefined) {
    return '';
  }
  return metric.type === 'rate' ? percent(value) : metric.contains === 'time' ? ms(value) : value;
}
