// Small things that every part of the page needs: elements, lists that keep their rows, and numbers in words.

export const byId = (id) => document.getElementById(id);

/** An element with a class and, if given, a text. Texts are never taken for HTML. */
export function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined && text !== null) element.textContent = text;
  return element;
}

/** Sets a text only if it changed, so that nobody has it read aloud again. */
export function setText(element, text) {
  const wanted = text ?? '';
  if (element.textContent !== wanted) element.textContent = wanted;
}

const SVG = 'http://www.w3.org/2000/svg';

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Makes a list show these items: rows stay where their key stays, so focus and hover do, too. Equal keys are numbered. */
export function reconcile(parent, items, key, create, update) {
  const rows = new Map();
  for (const row of [...parent.children]) rows.set(row.dataset.key, row);
  const seen = new Map();
  let before = parent.firstElementChild;
  for (const item of items) {
    const plain = String(key(item));
    const number = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, number);
    const name = number === 1 ? plain : `${plain} #${number}`;
    let row = rows.get(name);
    if (row) {
      rows.delete(name);
    } else {
      row = create(item);
      row.dataset.key = name;
    }
    if (row === before) before = before.nextElementSibling;
    else parent.insertBefore(row, before);
    update(row, item);
  }
  for (const row of rows.values()) row.remove();
}

/** A number as short as it may be: 0.4, 12, 1,240, 18.3k. */
export function count(value) {
  if (value === null || value === undefined) return '–';
  if (value >= 100000) return `${Math.round(value / 1000)}k`;
  if (value >= 10000) return `${(value / 1000).toFixed(1)}k`;
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  if (value >= 10 || Number.isInteger(value)) return String(Math.round(value));
  return value.toFixed(1);
}

/** Milliseconds as number and unit. */
export function millis(value) {
  if (value === null || value === undefined) return ['–', ''];
  if (value < 9.95) return [value.toFixed(1), 'ms'];
  if (value < 9995) return [value < 1000 ? String(Math.round(value)) : (value / 1000).toFixed(2), value < 1000 ? 'ms' : 's'];
  return [(value / 1000).toFixed(1), 's'];
}

export const millisText = (value) => millis(value).join('\u00a0').trim();

/** How long ago or since when, coarsely: 12 s, 4 min, 3 h. */
export function span(value) {
  if (value === null || value === undefined) return '';
  const seconds = Math.max(0, Math.round(value / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** A line over an area, drawn into an SVG of 100 x 24. */
export function spark(svg, values) {
  const most = Math.max(1e-9, ...values.map((value) => value ?? 0));
  svg.dataset.flat = String(!values.some(Boolean));
  let line = '';
  values.forEach((value, index) => {
    const x = (index / (values.length - 1)) * 100;
    const y = 23 - ((value ?? 0) / most) * 21;
    line += `${index ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  if (!svg.firstChild) {
    svg.setAttribute('viewBox', '0 0 100 24');
    for (const name of ['area', 'line']) {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('class', name);
      path.setAttribute('vector-effect', 'non-scaling-stroke');
      svg.append(path);
    }
  }
  svg.children[0].setAttribute('d', `${line}L100 24L0 24Z`);
  svg.children[1].setAttribute('d', line);
}
