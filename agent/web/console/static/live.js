// The page as it changes: pushes change the text of single elements, by their id, and nothing else.
// What is larger is asked for anew as a part. A connection that is lost is said at once, or after
// 2.2 s of silence; the page comes back by itself.
import { setAge, takeAges } from "./ages.js";

const SILENCE_MS = 2200;
const AGAIN_MS = 1000;
let source = null;
let heard = 0;
let again = 0;
let words = {};
let has = ""; // which parts the page was made with: that counts for its first connection only

/** Follow the view that the page names, if it names one. */
export function startLive(texts) {
  const view = document.body.dataset.live;
  if (!view) return;
  words = texts;
  has = document.body.dataset.has ?? "";
  open(view);
  setInterval(() => {
    if (!document.hidden && performance.now() - heard > SILENCE_MS) lost(view);
  }, 250);
  // A browser opens six connections to one agent: a page that nobody sees gives its own back.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open(view)));
  document.addEventListener("htmx:after:swap", () => takeAges(document));
}

function open(view) {
  close();
  heard = performance.now();
  source = new EventSource(has ? `${view}&has=${has}` : view);
  has = "";
  source.addEventListener("hello", (event) => alive(() => renewed(JSON.parse(event.data))));
  source.addEventListener("changes", (event) => alive(() => change(JSON.parse(event.data))));
  source.addEventListener("beat", () => alive(() => {}));
  source.addEventListener("error", () => lost(view));
}

function close() {
  source?.close();
  source = null;
}

function alive(then) {
  heard = performance.now();
  say("live", words.live);
  then();
}

function lost(view) {
  say("lost", words.lost);
  close();
  heard = Infinity; // nothing more is waited for until the next attempt
  clearTimeout(again);
  again = setTimeout(() => !document.hidden && open(view), AGAIN_MS);
}

function say(kind, text) {
  const place = document.getElementById("connection");
  if (place.dataset.kind === kind) return;
  place.dataset.kind = kind;
  place.textContent = text;
  document.body.classList.toggle("is-lost", kind === "lost");
  document.dispatchEvent(new CustomEvent("connection", { detail: kind }));
}

// Another version of the agent has come: its pages are other ones.
function renewed(hello) {
  if (!document.body.dataset.files.includes(hello.files)) location.reload();
}

function change({ items, parts }) {
  for (const [id, item] of Object.entries(items)) show(document.getElementById(id), item);
  for (const id of parts) document.getElementById(id)?.dispatchEvent(new CustomEvent("renew"));
  document.dispatchEvent(new CustomEvent("items", { detail: items }));
}

function show(element, [text, kind, age, note]) {
  if (!element) return;
  put(element.querySelector('[data-part="text"]'), text);
  put(element.querySelector('[data-part="note"]'), note);
  if (element.dataset.kind !== kind) element.dataset.kind = kind;
  setAge(element, age);
}

function put(place, text) {
  if (place && place.textContent !== text) place.textContent = text;
}
