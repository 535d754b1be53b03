// The section of the operator's page with the map of the pictures: marks differ in colour and in shape. It zooms, and a
// part of it can be chosen, whose products the shop then shows. All of it works by pointer, touch and keyboard.

const { find, W, filled, make } = globalThis.keyed;
const { ops } = globalThis;
const { fetched, getJson, attempt, table, count } = ops;
const SIDE = 1000, MARK = 3.4, NEAR = 24, MARGIN = 10, BOX = 6;   // the map's own units; CSS pixels
const MAX_ZOOM = 16;
const MAX_ADDRESS = 7000;       // characters of a link: the server reads lines of 8,190
const MAX_LISTED = 24;          // titles of chosen products
const canvas = find("#canvas");
let chart = null;               // the map that is drawn; its `view` is the centre and how much it is enlarged

ops.parts.push({ show: showMap, clear, busy: () => chart?.state === "making" });

function clear() {
  clearTimeout(point.waiting);
  chart = null;
  for (const each of ["#shown", "#legend", "#selected", "#map-table > div"]) find(each).replaceChildren();
  find("#map").hidden = true;
}

const SHAPES = [(r) => circle(r), (r) => polygon(4, r * 1.2, Math.PI / 4), (r) => polygon(3, r * 1.35, -Math.PI / 2), (r) => polygon(4, r * 1.25, 0), (r) => polygon(3, r * 1.35, Math.PI / 2), (r) => polygon(5, r * 1.2, -Math.PI / 2), (r) => star(r), (r) => circle(r * 0.7)];
const OTHER = SHAPES.length - 1;
const path = (points) => `M${points.map((each) => each.map((one) => one.toFixed(2)).join(" ")).join("L")}Z`;
const around = (n, radius, from) => Array.from({ length: n }, (_, i) => [radius(i) * Math.cos(from + 2 * Math.PI * i / n), radius(i) * Math.sin(from + 2 * Math.PI * i / n)]);
const polygon = (n, r, from) => path(around(n, () => r, from));
const star = (r) => path(around(8, (i) => i % 2 ? r * 0.55 : r * 1.5, -Math.PI / 2));
const circle = (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
const nameOf = (top) => chart.categories[top] ?? W.other;

async function showMap({ server }) {
  const hint = find("#map-hint");
  if (!server.ready) {
    hint.textContent = W.map_none;
    find("#map").hidden = true;
    return ops.watch();
  }
  if (chart?.state === "ready" && chart.generation === server.generation) return;
  chart = { ...await getJson("ops/map"), alone: null, at: null, box: null, chosen: new Set(), view: { x: SIDE / 2, y: SIDE / 2, zoom: 1 } };
  const ready = chart.state === "ready";
  find("#map").hidden = !ready;
  hint.textContent = ready ? filled(W.map_hint, { n: count(chart.points.length), all: count(chart.products) }) : W[`map_${chart.state}`];
  if (ready) {
    find("#shown").replaceChildren();
    find("#map-table").open = false;
    legend();
    choose([]);
  }
  ops.watch();
}

function legend() {
  const tops = [...new Set(chart.points.map((each) => each.top))].sort((one, other) => one - other);
  find("#legend").replaceChildren(...tops.map((top) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "-6 -6 12 12");
    svg.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
    shape.setAttribute("d", SHAPES[top](4));
    shape.setAttribute("class", `k${top}`);
    svg.append(shape);
    const button = make("button", { type: "button", ariaPressed: "false" }, svg, `${nameOf(top)} ${count(chart.points.filter((each) => each.top === top).length)}`);
    button.addEventListener("click", () => {
      chart.alone = chart.alone === top ? null : top;
      for (const each of find("#legend").children) each.ariaPressed = String(each === button && chart.alone === top);
      draw();
      listed();
    });
    return button;
  }));
}

const visible = () => chart.alone === null ? chart.points : chart.points.filter((each) => each.top === chart.alone);

// From the map's units to CSS pixels of the canvas, whatever its shape, and back.
const enlarged = () => (Math.min(canvas.clientWidth, canvas.clientHeight) - 2 * MARGIN) / SIDE * chart.view.zoom;
const place = ({ x, y }) => [canvas.clientWidth / 2 + (x - chart.view.x) * enlarged(), canvas.clientHeight / 2 + (y - chart.view.y) * enlarged()];
const unplace = (x, y) => [chart.view.x + (x - canvas.clientWidth / 2) / enlarged(), chart.view.y + (y - canvas.clientHeight / 2) / enlarged()];

function draw() {
  if (chart?.state !== "ready" || !canvas.clientWidth) return;
  const dots = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * dots);
  canvas.height = Math.round(canvas.clientHeight * dots);
  const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement), mark = MARK * Math.sqrt(chart.view.zoom);
  const shapes = SHAPES.map((each) => new Path2D(each(mark)));
  const put = (point, shape, colour, stroke = false) => {
    const [x, y] = place(point);
    pen.setTransform(dots, 0, 0, dots, dots * x, dots * y);
    pen[stroke ? "strokeStyle" : "fillStyle"] = colour;
    pen[stroke ? "stroke" : "fill"](shape);
  };
  for (const point of visible()) {
    pen.globalAlpha = chart.chosen.size && !chart.chosen.has(point) ? 0.25 : 0.85;
    put(point, shapes[point.top], style.getPropertyValue(`--c${point.top}`));
  }
  pen.globalAlpha = 1;
  if (chart.at) {
    pen.lineWidth = 2.5;
    put(chart.at, new Path2D(circle(mark + 5.5)), style.getPropertyValue("--ink"), true);
  }
  if (chart.box) {
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.lineWidth = 1.5;
    pen.strokeStyle = style.getPropertyValue("--ink");
    const [left, top, right, bottom] = chart.box;
    pen.strokeRect(left, top, right - left, bottom - top);
  }
}

function point(found) {
  if (!found || found === chart.at) return;
  chart.at = found;
  reveal(found);
  draw();
  const tile = make("div", { className: "tile" });
  find("#shown").replaceChildren(tile, make("a", { href: `/products/${encodeURIComponent(found.id)}`, textContent: found.title }), make("p", { className: "hint", textContent: nameOf(found.top) }), make("p", { className: "hint", textContent: found.id }));
  clearTimeout(point.waiting);
  point.waiting = setTimeout(() => attempt(() => picture(found, tile)), 120);  // not for every mark that is passed over
}

// A shop closed to the public requires the key for pictures, so they are fetched and not linked.
async function picture(found, tile) {
  const { pictures } = await getJson(`products/${encodeURIComponent(found.id)}`);
  if (!pictures.length || !tile.isConnected) return;
  const blob = await (await fetched(pictures[0].picture_url, { cache: "default" })).blob();
  const src = URL.createObjectURL(blob);
  tile.replaceChildren(make("img", { src, alt: filled(W.picture_of, { name: found.title }), onload: () => URL.revokeObjectURL(src) }));
}

function nearest(x, y, points, within) {
  let best = null, least = within ** 2;
  for (const each of points) {
    const [px, py] = place(each), gap = (px - x) ** 2 + (py - y) ** 2;
    if (gap < least) [best, least] = [each, gap];
  }
  return best;
}

// ---- zoom

// Centre the view, within the map, and enlarge it.
function look(x, y, zoom) {
  const edge = SIDE / 2 / zoom, within = (value) => Math.min(SIDE - edge, Math.max(edge, value));
  chart.view = { x: within(x), y: within(y), zoom };
  draw();
}

// Enlarge by a factor around a place of the canvas, its middle by default; 0 shows everything.
function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  if (!factor) return look(SIDE / 2, SIDE / 2, 1);
  const wanted = Math.min(MAX_ZOOM, Math.max(1, chart.view.zoom * factor)), [mx, my] = unplace(x, y), by = chart.view.zoom / wanted;
  look(mx + (chart.view.x - mx) * by, my + (chart.view.y - my) * by, wanted);
}

// Move the view so that a product that was gone to by keyboard is in it.
function reveal({ x, y }) {
  const [px, py] = place({ x, y });
  if (px < 0 || py < 0 || px > canvas.clientWidth || py > canvas.clientHeight) look(x, y, chart.view.zoom);
}

find("#map-tools").addEventListener("click", ({ target }) => { if (target.dataset.zoom) zoom(Number(target.dataset.zoom)); });
canvas.addEventListener("wheel", (event) => {
  if (!chart || !(event.ctrlKey || event.metaKey)) return;   // the wheel alone scrolls the page; a pinch comes with ctrl
  event.preventDefault();
  zoom(2 ** (-event.deltaY / 200), ...within(event));
}, { passive: false });
canvas.addEventListener("dblclick", (event) => zoom(2, ...within(event)));

// ---- choosing a part of the map

function choose(points) {
  chart.chosen = new Set(points);
  draw();
  find("#selected").replaceChildren();
}

function chosen(points) {
  choose(points);
  if (!points.length) return find("#selected").replaceChildren(make("p", { textContent: W.map_selected_none }));
  const tops = [...new Set(points.map((each) => each.top))].map((top) => [nameOf(top), points.filter((each) => each.top === top).length]);
  const kinds = tops.sort((one, other) => other[1] - one[1]).map(([name, n]) => `${name} ${count(n)}`).join(" · ");
  const opened = [];
  const address = (ids) => `/?filter=${encodeURIComponent(JSON.stringify({ id: ids }))}`;
  for (const { id } of points) if (address([...opened, id]).length <= MAX_ADDRESS) opened.push(id);
  const open = make("a", { href: address(opened), textContent: filled(W.map_open, { n: count(opened.length) }) });
  const reset = make("button", { type: "button", textContent: W.map_clear });
  reset.addEventListener("click", () => { choose([]); canvas.focus(); });
  find("#selected").replaceChildren(make("p", { textContent: filled(W.map_selected, { n: count(points.length), kinds }) }), make("p", { className: "buttons" }, open, reset),
    make("ul", {}, ...points.slice(0, MAX_LISTED).map((each) => make("li", {}, make("a", { href: `/products/${encodeURIComponent(each.id)}`, textContent: each.title })))));
}

const inside = ([left, top, right, bottom]) => visible().filter((each) => {
  const [x, y] = place(each);
  return x >= left && x <= right && y >= top && y <= bottom;
});
const selecting = () => find("#map-select").ariaPressed === "true";
const within = (event) => {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};

find("#map-select").addEventListener("click", ({ target }) => {
  target.ariaPressed = String(!selecting());
  canvas.classList.toggle("selecting", selecting());   // on a touch screen a finger then draws and does not scroll
});
find("#map-visible").addEventListener("click", () => chosen(inside([0, 0, canvas.clientWidth, canvas.clientHeight])));

let from = null;
canvas.addEventListener("pointerdown", (event) => {
  if (!chart || event.button) return;
  const [x, y] = within(event);
  if (event.pointerType === "mouse" || selecting()) {
    from = { x, y, view: chart.view, moves: event.shiftKey };
    canvas.setPointerCapture(event.pointerId);
  }
  point(nearest(x, y, visible(), NEAR));
});
canvas.addEventListener("pointermove", (event) => {
  if (!chart) return;
  const [x, y] = within(event);
  if (!from) return point(nearest(x, y, visible(), NEAR));
  if (from.moves) return look(from.view.x - (x - from.x) / enlarged(), from.view.y - (y - from.y) / enlarged(), chart.view.zoom);
  chart.box = Math.max(Math.abs(x - from.x), Math.abs(y - from.y)) < BOX ? null : [Math.min(x, from.x), Math.min(y, from.y), Math.max(x, from.x), Math.max(y, from.y)];
  draw();
});
for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => {
  const box = chart?.box;
  from = null;
  if (!box) return;
  chart.box = null;
  if (kind === "pointerup") chosen(inside(box));
  else draw();
});

// ---- the keyboard

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = { "+": () => zoom(2), "=": () => zoom(2), "-": () => zoom(0.5), 0: () => zoom(0), Enter: () => chosen(inside([0, 0, canvas.clientWidth, canvas.clientHeight])) };
canvas.addEventListener("keydown", (event) => {
  const way = WAYS[event.key];
  if (!(way || KEYS[event.key]) || !chart || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (!way) return KEYS[event.key]();
  if (event.shiftKey) return look(chart.view.x + way[0] * SIDE / 8 / chart.view.zoom, chart.view.y + way[1] * SIDE / 8 / chart.view.zoom, chart.view.zoom);
  const points = visible(), at = points.includes(chart.at) ? chart.at : null;
  if (!at) return point(nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, points, Infinity));
  const ahead = (each) => (each.x - at.x) * way[0] + (each.y - at.y) * way[1];
  const aside = (each) => Math.abs((each.x - at.x) * way[1]) + Math.abs((each.y - at.y) * way[0]);
  const next = points.filter((each) => ahead(each) > 0 && aside(each) <= 1.5 * ahead(each));
  point(next.sort((one, other) => ahead(one) + 2 * aside(one) - ahead(other) - 2 * aside(other))[0]);
});
canvas.addEventListener("focus", () => { if (chart && !chart.at && canvas.matches(":focus-visible")) point(nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, visible(), Infinity)); });

function listed() {
  const details = find("#map-table");
  if (!details.open || chart?.state !== "ready") return find("#map-table > div").replaceChildren();
  const rows = [...visible()].sort((one, other) => one.top - other.top || one.x - other.x);
  find("#map-table > div").replaceChildren(table([
    { name: W.product, of: (one) => make("a", { href: `/products/${encodeURIComponent(one.id)}`, textContent: one.title }) },
    { name: W.category, of: (one) => nameOf(one.top) },
    { name: W.place, kind: "number", of: (one) => `${one.x}, ${one.y}` },
  ], rows, { long: true, name: W.map_table }));
}

find("#map-table").addEventListener("toggle", listed);
new ResizeObserver(draw).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
