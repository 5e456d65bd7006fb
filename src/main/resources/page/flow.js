// The river: pipes from the front to the replicas. A drop is a request, specks that come back are tokens, and a diamond is
// a request that moves from one replica to another. Nothing moves for those who asked their system for less of it.
import { byId } from './dom.js';
import { toneOf } from './replicas.js';

const MOST_PARTICLES = 360;
const MOST_DROPS = 14;
const MOST_SPECKS = 10;
const TRAVEL_MS = 1100;
/** More pipes than these are a thicket: then the replicas stand close together, and there is no river. */
const MOST_PIPES = 24;
const still = matchMedia('(prefers-reduced-motion: reduce)');

const canvas = byId('flow');
const context = canvas.getContext('2d');
/** The pipes as they are until the next snapshot, so that a frame is one copy and some drops. */
const bed = document.createElement('canvas');
const pen = bed.getContext('2d');
const source = document.querySelector('.source');
let colours = {};
let width = 0;
let height = 0;
let pipes = [];
let particles = [];
let running = false;
let last = [];

/** Reads the colours of the theme that holds now. */
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['good', 'warn', 'bad', 'info', 'ink', 'soft', 'line', 'pipe', 'drop', 'surface']) {
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
  lay();
  draw(performance.now());
}

function measure() {
  const ratio = Math.min(2, devicePixelRatio || 1);
  const box = canvas.getBoundingClientRect();
  if (box.width !== width || box.height !== height) {
    width = box.width;
    height = box.height;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    bed.width = canvas.width;
    bed.height = canvas.height;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  }
  const from = source.getBoundingClientRect();
  const narrow = from.left > box.left + 8 || getComputedStyle(source).position !== 'absolute';
  const start = narrow ? { x: width / 2, y: 0 } : { x: from.right - box.left, y: from.top + from.height / 2 - box.top };
  pipes = last.map((replica) => {
    const card = byId(`replica-${replica.name}`);
    const at = card.getBoundingClientRect();
    const y = at.top + Math.min(at.height / 2, narrow ? 34 : at.height / 2) - box.top;
    return { replica, tone: toneOf(replica), start, end: { x: width, y }, narrow };
  });
}

/** A point of a pipe; t goes from 0 at the front to 1 at the replica. */
function point(pipe, t) {
  const { start, end, narrow } = pipe;
  const one = narrow ? { x: start.x, y: start.y + (end.y - start.y) * 0.7 } : { x: start.x + (end.x - start.x) * 0.55, y: start.y };
  const two = narrow ? { x: start.x, y: end.y } : { x: start.x + (end.x - start.x) * 0.45, y: end.y };
  const u = 1 - t;
  const a = u * u * u, b = 3 * u * u * t, c = 3 * u * t * t, d = t * t * t;
  return { x: a * start.x + b * one.x + c * two.x + d * end.x, y: a * start.y + b * one.y + c * two.y + d * end.y };
}

function trace(pipe, to = 1) {
  pen.beginPath();
  for (let step = 0; step <= 28; step++) {
    const at = point(pipe, (step / 28) * to);
    if (step) pen.lineTo(at.x, at.y);
    else pen.moveTo(at.x, at.y);
  }
}

function drawPipe(pipe) {
  const { replica, tone } = pipe;
  const open = replica.usable;
  const girth = 5 + Math.min(11, Math.sqrt(replica.inFlight) * 2.2);
  pen.lineCap = 'round';
  trace(pipe, open ? 1 : 0.86);
  pen.strokeStyle = colours.pipe;
  pen.lineWidth = girth;
  pen.stroke();
  trace(pipe, open ? 1 : 0.86);
  pen.strokeStyle = open ? colours.good : colours[tone];
  pen.globalAlpha = open ? 0.55 : 0.9;
  pen.lineWidth = 1.5;
  pen.setLineDash(open ? [] : [2, 6]);
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
  if (!open) {
    const at = point(pipe, 0.9);
    pen.strokeStyle = colours[tone];
    pen.lineWidth = 3;
    pen.beginPath();
    pen.moveTo(at.x, at.y - 9);
    pen.lineTo(at.x, at.y + 9);
    pen.stroke();
  }
}

function lay() {
  pen.clearRect(0, 0, width, height);
  for (const pipe of pipes) if (!pipe.replica.usable) drawPipe(pipe);
  for (const pipe of pipes) if (pipe.replica.usable) drawPipe(pipe);
}

function drawParticle(particle, now) {
  const t = (now - particle.from) / particle.takes;
  if (t < 0 || t > 1) return t <= 1;
  const eased = t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2;
  if (particle.kind === 'drop') {
    const at = point(particle.pipe, eased);
    context.fillStyle = colours.drop;
    context.beginPath();
    context.arc(at.x, at.y, 3.4, 0, 7);
    context.fill();
  } else if (particle.kind === 'speck') {
    const at = point(particle.pipe, 1 - t);
    context.globalAlpha = Math.sin(t * Math.PI) * 0.9;
    context.fillStyle = colours.good;
    context.fillRect(at.x - 1.6, at.y - 1.6 + particle.off, 3.2, 3.2);
    context.globalAlpha = 1;
  } else {
    const from = particle.pipe.end, to = particle.to.end;
    const bulge = Math.min(width * 0.5, 90) * Math.sin(eased * Math.PI);
    const x = width - 10 - bulge, y = from.y + (to.y - from.y) * eased;
    context.save();
    context.translate(x, y);
    context.rotate(Math.PI / 4);
    context.fillStyle = colours.warn;
    context.strokeStyle = colours.surface;
    context.lineWidth = 1.5;
    context.fillRect(-5, -5, 10, 10);
    context.strokeRect(-5, -5, 10, 10);
    context.restore();
  }
  return true;
}

function draw(now) {
  context.clearRect(0, 0, width, height);
  if (bed.width && bed.height) context.drawImage(bed, 0, 0, width, height);
  particles = particles.filter((particle) => drawParticle(particle, now));
}

function turn(now) {
  draw(now);
  running = particles.length > 0 && !document.hidden;
  if (running) requestAnimationFrame(turn);
}

function launch(pipe, kind, number, takes, now, more) {
  for (let i = 0; i < number && particles.length < MOST_PARTICLES; i++) {
    const from = now + ((i + Math.random()) / number) * 1000;
    particles.push({ pipe, kind, from, takes: takes * (0.85 + Math.random() * 0.3), off: (Math.random() - 0.5) * 7, ...more });
  }
}

/** One snapshot's worth of movement: what was begun, what came back, what moved. */
export function flow(snapshot, begun) {
  const dense = snapshot.replicas.length > MOST_PIPES;
  byId('fleet').dataset.dense = String(dense);
  last = dense ? [] : snapshot.replicas;
  measure();
  lay();
  const now = performance.now();
  if (!still.matches && !document.hidden) {
    const byName = new Map(pipes.map((pipe) => [pipe.replica.name, pipe]));
    for (const particle of particles) particle.pipe = byName.get(particle.pipe.replica.name) ?? particle.pipe;
    for (const pipe of pipes) {
      const replica = pipe.replica;
      launch(pipe, 'drop', Math.min(MOST_DROPS, begun.get(replica.id) ?? 0), TRAVEL_MS, now);
      const tokens = replica.tokensPerSecond ?? 0;
      launch(pipe, 'speck', tokens > 0 ? Math.min(MOST_SPECKS, 2 + Math.round(Math.log2(1 + tokens))) : 0, TRAVEL_MS * 1.3, now);
    }
    for (const incident of snapshot.incidents) {
      if (incident.kind !== 'move' || incident.agoMillis > 1100) continue;
      const from = byName.get(incident.replica);
      for (const target of incident.targets) {
        const to = byName.get(target);
        if (from && to) launch(from, 'move', 1, TRAVEL_MS, now, { to });
      }
    }
  } else {
    particles = [];
  }
  if (!running && !dense) {
    running = true;
    requestAnimationFrame(turn);
  }
}

new ResizeObserver(() => {
  measure();
  lay();
  draw(performance.now());
}).observe(byId('replicas'));
