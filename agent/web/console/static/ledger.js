// The ledger verified: the agent's answer in words, with a way to each place where something is wrong.
import { send } from "./session.js";
import { say } from "./deeds.js";

const button = document.getElementById("verify");
const place = document.getElementById("verdict");

button?.addEventListener("click", async () => {
  if (button.hasAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  say(place, "waiting", place.dataset.waiting);
  const { ok, said } = await send("POST", "/api/v1/ledger/verify");
  button.removeAttribute("aria-busy");
  if (ok) show(said);
  else say(place, "unsafe", said?.detail ?? JSON.parse(document.body.dataset.texts).unknown);
  place.focus();
});

function show({ verified, rows, head, findings, more_findings, notes }) {
  const words = verified ? place.dataset.whole : place.dataset.broken;
  const number = findings.length + more_findings;
  say(place, verified ? "safe" : "unsafe", filled(words, { rows, seq: head.seq, n: number }));
  const list = document.createElement("ul");
  list.append(...findings.map(finding), ...notes.map((note) => line(note)));
  if (more_findings) list.append(line(filled(place.dataset.more, { n: more_findings })));
  place.append(list, paragraph(head));
}

function finding({ seq, text }) {
  const link = document.createElement("a");
  link.href = `/ledger?cursor=${seq}#row-${seq}`;
  link.textContent = filled(place.dataset.row, { seq });
  return line(link, " ", text);
}

function paragraph(head) {
  const code = document.createElement("code");
  code.textContent = `${head.seq}:${head.hash}`;
  const made = document.createElement("p");
  made.append(filled(place.dataset.head, {}), " ", code);
  return made;
}

function line(...parts) {
  const made = document.createElement("li");
  made.append(...parts);
  return made;
}

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// A finding leads to its row: it is open when one comes to it.
const aimed = location.hash.startsWith("#row-") && document.getElementById(location.hash.slice(1));
if (aimed) aimed.open = true;
