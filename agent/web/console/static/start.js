// The form that starts a job. Its key belongs to the form as it was opened: pressed twice, it is one job.
import { checkWhileTyping, firstWrong, sayWrong, valueOf } from "./fields.js";
import { send } from "./session.js";

const FIELDS = "#start [data-type], #start select[data-role]";
const texts = JSON.parse(document.body.dataset.texts);
const form = document.getElementById("start");
const said = form.querySelector("output.said");
const key = [...crypto.getRandomValues(new Uint8Array(16))].map((it) => it.toString(16).padStart(2, "0")).join("");

checkWhileTyping(FIELDS);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!form.hasAttribute("aria-busy")) start();
});

async function start() {
  const wrong = firstWrong([...form.querySelectorAll(FIELDS)]);
  if (wrong) {
    show(wrong);
    return;
  }
  form.setAttribute("aria-busy", "true");
  say("waiting", texts.asking);
  const answer = await send("POST", "/api/v1/jobs", wanted(), { "Idempotency-Key": key });
  if (answer.ok) {
    location.assign(`/jobs/${answer.said.job}`); // it stays busy: the page is about to go
    return;
  }
  form.removeAttribute("aria-busy");
  if (answer.said === null) say("unsafe", texts.not_known);
  else refused(answer.said);
}

function wanted() {
  const values = (fields, read) => Object.fromEntries([...form.querySelectorAll(fields)].map((it) => [it.name, read(it)]));
  const time = document.getElementById("not_before").value;
  return {
    recipe: form.dataset.recipe,
    arguments: values("[data-type][name]", (it) => valueOf(it).value),
    devices: values("select[data-role]", (it) => it.value),
    copies: valueOf(document.getElementById("copies")).value,
    priority: valueOf(document.getElementById("priority")).value,
    held: document.getElementById("held").checked,
    not_before: time ? new Date(instant(time, form.dataset.zone)).toISOString() : null,
  };
}

// A time of day in the station's zone, wherever this browser is: what the zone's clocks show then.
function instant(local, zone) {
  const asUtc = Date.parse(`${local}Z`);
  const shown = (at) => Date.parse(`${new Date(at).toLocaleString("sv-SE", { timeZone: zone }).replace(" ", "T")}Z`);
  return asUtc - (shown(asUtc) - asUtc);
}

// Each part that the agent names is said at its field; what belongs to none, at the button.
function refused(problem) {
  const rest = [];
  let first = null;
  for (const { where, text } of problem.errors ?? []) {
    const input = fieldOf(where.split("."));
    if (input) {
      sayWrong(input, text);
      first ??= input;
    } else rest.push(text);
  }
  if (first) show(first);
  if (rest.length || !first) say("unsafe", rest.join(" ") || problem.detail);
  else say("unsafe", "");
}

function fieldOf([, part, name]) {
  if (part === "arguments") return document.getElementById(`take-${name}`);
  if (part === "devices") return document.getElementById(`role-${name}`);
  return document.getElementById(part);
}

function show(input) {
  const details = input.closest("details");
  if (details) details.open = true;
  input.focus();
}

function say(kind, text) {
  said.className = `said ${kind}`;
  said.textContent = text;
}
