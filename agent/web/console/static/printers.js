// A print is begun: the file is looked at, the plate is asked for, and the printer's own state tells
// that it has begun. The agent answers when the print has ended, which nobody waits for here.
import { send } from "./session.js";
import { say } from "./deeds.js";

const BEGUN = new Set(["starting", "printing", "pausing", "paused", "resuming", "finishing"]);
const dialog = document.getElementById("print-dialog");
const body = document.getElementById("print-body");

document.addEventListener("click", (event) => {
  const button = event.target.closest(".print-this");
  if (!button) return;
  document.getElementById("print-title").textContent = button.dataset.file;
  body.setAttribute("aria-busy", "true");
  body.replaceChildren();
  dialog.showModal();
});
document.addEventListener("htmx:after:swap", () => body.removeAttribute("aria-busy"));

document.addEventListener("items", (event) => {
  for (const [id, [text]] of Object.entries(event.detail)) {
    if (!id.startsWith("progress:")) continue;
    const bar = document.getElementById(id)?.querySelector("progress");
    if (bar) bar.value = Number.parseFloat(text) || 0;
  }
});

document.addEventListener("done", (event) => {
  if (!event.target.hasAttribute("data-removes")) return;
  document.getElementById("file-list").dispatchEvent(new CustomEvent("renew"));
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "print-form") return;
  event.preventDefault();
  if (!event.target.hasAttribute("aria-busy")) print(event.target);
});

async function print(form) {
  const place = form.querySelector("output.said");
  const { device, file, look, begins, begun } = form.dataset;
  const clear = form.elements.clear;
  if (clear && !clear.checked) {
    say(place, "unsafe", look);
    clear.focus();
    return;
  }
  form.setAttribute("aria-busy", "true");
  say(place, "waiting", begins);
  const answer = (clear ? await refused(`/api/v1/plates/${device}/clear`) : null) ?? (await asked(device, file));
  form.removeAttribute("aria-busy");
  if (!answer.ok) {
    say(place, "unsafe", answer.said?.detail ?? JSON.parse(document.body.dataset.texts).no_answer);
    if (answer.said?.type?.endsWith(":plate-taken")) form.elements.device.dispatchEvent(new Event("change"));
    return;
  }
  dialog.close();
  say(document.getElementById("said"), "safe", begun);
}

async function refused(url) {
  const answer = await send("POST", url);
  return answer.ok ? null : answer;
}

/** What the agent answers, or that the printer has begun, whichever comes first. */
async function asked(device, file) {
  const leaving = new AbortController();
  const key = { "Idempotency-Key": crypto.randomUUID() };
  const address = `/api/v1/devices/${device}/commands/print`;
  const answer = send("POST", address, { arguments: { file } }, key, leaving.signal);
  const first = await Promise.race([answer, hasBegun(device, leaving.signal)]);
  leaving.abort(); // the print goes on, and the connection is free for others
  return first;
}

function hasBegun(device, signal) {
  return new Promise((resolve) => {
    if (BEGUN.has(document.getElementById(`print:${device}`)?.dataset.kind)) return; // another print
    const look = (event) => BEGUN.has(event.detail[`print:${device}`]?.[1]) && resolve({ ok: true, said: {} });
    document.addEventListener("items", look, { signal });
  });
}
