// What a run has recorded, as plots; and the answer to whether it is as it was when it was closed.
/* global uPlot */
const HEIGHT = 220;
const POINTS = 1000;
const COLOURS = ["#1187a3", "#c2572b", "#5a8f29", "#8757c4", "#b8860b", "#c43d7e"];
const texts = JSON.parse(document.body.dataset.texts);
const place = document.getElementById("plots");
const units = JSON.parse(place.dataset.units);
const names = JSON.parse(place.dataset.names);
const roles = JSON.parse(place.dataset.roles);

document.addEventListener("done", ({ detail: { button, said } }) => button.id === "verify" && verified(said));
draw();

async function draw() {
  const records = await asked(place.dataset.from);
  for (const record of records?.records ?? []) {
    const table = await asked(`${place.dataset.from}/${encodeURIComponent(record)}?points=${POINTS}`);
    for (const series of byUnit(table?.series ?? [])) plot(record, series);
  }
}

async function asked(address) {
  const answer = await fetch(address);
  return answer.ok ? answer.json() : null;
}

/** The readings that are numbers, or on and off, together with those in the same unit. */
function byUnit(all) {
  const found = new Map();
  for (const it of all) {
    if (it.type === "text" || it.seconds.length === 0) continue;
    const key = `${it.type} ${it.unit}`;
    found.set(key, [...(found.get(key) ?? []), it]);
  }
  return found.values();
}

/** What people call a recorded reading, which the table calls `role.reading`. */
function called(column) {
  const [role, reading] = column.split(".");
  return `${roles[role] ?? role} ${names[reading] ?? reading ?? ""}`.trim();
}

function plot(record, series) {
  place.hidden = false;
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  figure.className = "plot";
  caption.textContent = `${record}: ${series.map((it) => called(it.name)).join(", ")}${series[0].unit ? ` (${units[series[0].unit] ?? series[0].unit})` : ""}`;
  figure.append(caption);
  place.append(figure);
  const data = uPlot.join(series.map((it) => [it.seconds, it.values]));
  const drawn = new uPlot(options(figure, series), data, figure);
  new ResizeObserver(() => figure.clientWidth && drawn.setSize({ width: figure.clientWidth, height: HEIGHT })).observe(figure);
}

function options(figure, series) {
  const style = getComputedStyle(document.documentElement);
  const line = style.getPropertyValue("--pico-muted-border-color");
  const axis = { stroke: style.getPropertyValue("--pico-muted-color"), grid: { stroke: line, width: 1 }, ticks: { stroke: line } };
  return {
    width: figure.clientWidth,
    height: HEIGHT,
    cursor: { y: false },
    scales: { x: { time: false } },
    axes: [axis, { ...axis, size: 60 }],
    series: [
      { label: texts.since },
      ...series.map((it, at) => ({
        label: called(it.name),
        stroke: COLOURS[at % COLOURS.length],
        width: 1.5,
        spanGaps: false,
        paths: it.type === "boolean" ? uPlot.paths.stepped({ align: 1 }) : undefined,
      })),
    ],
  };
}

function verified(said) {
  const whole = document.createElement("p");
  whole.className = said.verified ? "safe" : "unsafe";
  whole.textContent = said.verified ? texts.verified.replace("{n}", said.files) : texts.not_verified;
  document.getElementById("verified").replaceChildren(whole, listed(said.faults));
}

function listed(faults) {
  const list = document.createElement("ul");
  for (const { file, text } of faults) {
    const line = document.createElement("li");
    line.textContent = file ? `${file}: ${text}` : text;
    list.append(line);
  }
  list.hidden = faults.length === 0;
  return list;
}
