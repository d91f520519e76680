// The last hour of a device's numbers: points of the agent, then the values as they come.
/* global uPlot */
const HOUR_S = 3600;
const HEIGHT = 180;
const place = document.getElementById("trend");
const plots = [];

if (place) start();

async function start() {
  const answer = await fetch(place.dataset.from);
  if (!answer.ok) return;
  const { step, readings } = await answer.json();
  for (const figure of place.querySelectorAll("figure.plot")) plots.push(made(figure, step, readings));
  document.addEventListener("items", (event) => plots.forEach((plot) => extend(plot, event.detail)));
  new ResizeObserver(() => plots.forEach(fit)).observe(place);
  // Where the connection was lost there is a gap, and what is missed is not drawn as a line.
  document.addEventListener("connection", (event) => event.detail === "lost" && plots.forEach(gap));
}

function made(figure, step, readings) {
  const names = JSON.parse(figure.dataset.readings);
  const longest = Math.max(0, ...names.map((name) => readings[name]?.length ?? 0));
  const now = Date.now() / 1000;
  const times = Array.from({ length: longest }, (_, at) => now - (longest - 1 - at) * step);
  const data = [times, ...names.map((name) => readings[name]?.slice() ?? times.map(() => null))];
  figure.hidden = !data.slice(1).some((column) => column.some((value) => value !== null));
  const plot = new uPlot(options(figure, JSON.parse(figure.dataset.names)), data, figure);
  return { figure, names, data, plot, latest: names.map((_, at) => data[at + 1].at(-1) ?? null) };
}

function options(figure, names) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--pico-muted-color");
  const line = style.getPropertyValue("--pico-muted-border-color");
  const colours = ["#1187a3", "#c2572b", "#5a8f29", "#8757c4", "#b8860b", "#c43d7e"];
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line } };
  const dashes = [[], [6, 3], [2, 3]];
  return {
    width: figure.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), place.dataset.zone),
    cursor: { y: false },
    legend: { live: true },
    scales: { x: { range: () => [Date.now() / 1000 - HOUR_S, Date.now() / 1000] } },
    axes: [{ ...axis, values: clock() }, { ...axis, size: 60 }],
    series: [
      { label: place.dataset.time, value: clock("second") },
      ...names.map((label, at) => ({
        label,
        stroke: colours[at % colours.length],
        dash: dashes[Math.floor(at / colours.length) % dashes.length],
        width: 1.5,
        spanGaps: false,
      })),
    ],
  };
}

/** Times of day in the station's zone, for an axis, or for one moment with its seconds. */
function clock(finest) {
  const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: place.dataset.zone };
  if (finest) parts.second = "2-digit";
  const format = new Intl.DateTimeFormat("en-GB", parts);
  const say = (seconds) => (seconds == null ? "" : format.format(new Date(seconds * 1000)));
  return (_, given) => (Array.isArray(given) ? given.map(say) : say(given));
}

function extend(it, items) {
  let isNew = false;
  it.names.forEach((name, at) => {
    const item = items[`value:${place.dataset.device}.${name}`];
    if (!item) return;
    isNew = true;
    const number = Number(item[0]);
    it.latest[at] = (item[1] === "good" || item[1] === "simulated") && Number.isFinite(number) ? number : null;
  });
  if (isNew) add(it, it.latest);
}

const gap = (it) => add(it, it.names.map(() => null));

function add(it, values) {
  const now = Date.now() / 1000;
  it.data[0].push(now);
  values.forEach((value, at) => it.data[at + 1].push(value));
  while (it.data[0][0] < now - HOUR_S) it.data.forEach((column) => column.shift());
  if (it.figure.hidden && values.some((value) => value !== null)) {
    it.figure.hidden = false; // the first number of this unit
    fit(it);
  }
  if (!document.hidden) it.plot.setData(it.data);
}

function fit(it) {
  if (it.figure.clientWidth > 0) it.plot.setSize({ width: it.figure.clientWidth, height: HEIGHT });
}
