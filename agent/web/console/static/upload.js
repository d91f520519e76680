// Files to the agent: picked or dragged, one after another, each with its progress, and what came of
// it beside its name. A name that is taken is said there, and may be replaced.
import { inTheirName, is } from "./session.js";
import { say } from "./deeds.js";

const drop = document.getElementById("drop");
const list = document.getElementById("uploads");
let last = Promise.resolve();

drop.querySelector("input").addEventListener("change", (event) => {
  sendAll(event.target.files);
  event.target.value = "";
});

for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, over);
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  sendAll(event.dataTransfer.files);
});
// A file that is dropped beside it must not replace the page.
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => event.preventDefault());

function over(event) {
  event.preventDefault();
  drop.classList.add("over");
}

function sendAll(files) {
  for (const file of files) queue(file, row(file));
}

function queue(file, its, replace = false) {
  say(its.said, "waiting", drop.dataset.waiting);
  last = last.then(() => sendOne(file, its, replace));
}

function row(file) {
  const [line, name, progress, said] = ["li", "strong", "progress", "output"].map((it) => document.createElement(it));
  name.textContent = file.name;
  progress.max = 100;
  progress.value = 0;
  progress.setAttribute("aria-label", `${drop.dataset.progress}: ${file.name}`);
  said.className = "said";
  line.append(name, progress, said);
  list.prepend(line);
  return { line, progress, said };
}

async function sendOne(file, its, replace) {
  const found = await inTheirName((person) => sent(file, its, replace, person));
  if (found.ok) {
    its.progress.value = 100;
    say(its.said, "safe", drop.dataset.stored);
    document.getElementById("file-list").dispatchEvent(new CustomEvent("renew"));
    return;
  }
  its.progress.hidden = true;
  say(its.said, "unsafe", found.said?.detail ?? drop.dataset.lost);
  if (is(found, "exists")) offerToReplace(file, its);
}

/** One request with its progress, for which fetch has no word. */
function sent(file, its, replace, person) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `/api/v1/files/${encodeURIComponent(file.name)}${replace ? "?replace=true" : ""}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept-Language", document.documentElement.lang);
    for (const [name, value] of Object.entries(person)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      its.progress.value = total ? (100 * loaded) / total : 0;
      say(its.said, "waiting", `${Math.round(its.progress.value)} %`);
    });
    request.upload.addEventListener("load", () => say(its.said, "waiting", drop.dataset.examining));
    request.addEventListener("loadend", () => resolve({ ok: request.status === 200, said: parsed(request.responseText) }));
    request.send(file);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function offerToReplace(file, its) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "secondary";
  button.textContent = drop.dataset.replace;
  button.addEventListener("click", () => {
    button.remove();
    its.progress.hidden = false;
    queue(file, its, true);
  });
  its.line.append(button);
}
