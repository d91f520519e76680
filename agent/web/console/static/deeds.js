// What a page asks for: a form with data-deed becomes one request to the API, and what came of it is
// said in the form, or where that has no place for it, at the head of the page. A button with
// data-opens opens the dialog of a deed, and fills in what it is done to.
import { send } from "./session.js";

const texts = JSON.parse(document.body.dataset.texts);

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) openDialog(opener);
  if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-deed]");
  if (!form) return;
  event.preventDefault();
  if (!form.hasAttribute("aria-busy")) doIt(form);
});

function openDialog(opener) {
  const dialog = document.getElementById(opener.dataset.opens);
  const form = dialog.querySelector("form");
  form.reset();
  form.dataset.deed = opener.dataset.deed;
  for (const place of dialog.querySelectorAll("[data-fill]")) place.textContent = opener.dataset[place.dataset.fill];
  say(form.querySelector("output.said"), "", "");
  dialog.showModal();
}

async function doIt(form) {
  const place = form.querySelector("output.said") ?? document.getElementById("said");
  const { body, missing } = read(form);
  if (missing) {
    missing.focus();
    say(place, "unsafe", texts.missing);
    return;
  }
  form.setAttribute("aria-busy", "true");
  say(place, "waiting", texts.asked);
  const { ok, said } = await send(form.dataset.method ?? "POST", form.dataset.deed, body);
  form.removeAttribute("aria-busy");
  if (!ok) {
    say(place, "unsafe", said?.detail ?? texts.unknown);
    return;
  }
  say(place, "", "");
  form.closest("dialog")?.close();
  say(document.getElementById("said"), "safe", texts.done);
  form.dispatchEvent(new CustomEvent("done", { bubbles: true, detail: said }));
}

/** What the form says, by name, or the first input that must say something and does not. */
function read(form) {
  const body = {};
  for (const input of form.querySelectorAll("[name]")) {
    const text = input.value.trim();
    if (text === "" && input.required) return { body, missing: input };
    if (text !== "") body[input.name] = input.dataset.type === "number" ? Number(text) : text;
  }
  return { body };
}

/** Say what came of it; nothing empties the place. */
export function say(place, kind, text) {
  if (!place) return;
  place.classList.remove("safe", "unsafe", "waiting");
  if (kind) place.classList.add(kind);
  place.textContent = text;
}
