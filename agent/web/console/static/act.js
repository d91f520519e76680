// Settings and commands: a form becomes one request, and says under itself what came of it.
// A value out of range is sent all the same: the agent refuses it and names the limit's place.
import { send } from "./session.js";

const texts = JSON.parse(document.body.dataset.texts);

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-act]");
  if (!form) return;
  event.preventDefault();
  if (!form.hasAttribute("aria-busy")) act(form);
});

async function act(form) {
  const { values, wrong } = read(form);
  if (wrong) {
    wrong.focus();
    say(form, "unsafe", wrong.dataset.type === "choice" ? texts.missing : wrong.value ? texts.bad_number : texts.missing);
    return;
  }
  const isSetting = form.dataset.act === "setting";
  form.setAttribute("aria-busy", "true");
  say(form, "waiting", texts.sent);
  const { ok, said } = await send(
    isSetting ? "PUT" : "POST",
    form.dataset.url,
    isSetting ? { value: values.value } : { arguments: values },
  );
  form.removeAttribute("aria-busy");
  if (said === null) say(form, "unsafe", texts.no_answer);
  else if (ok) say(form, "safe", result(said));
  else say(form, "unsafe", said.detail);
}

function result(said) {
  const value = said.value === null || typeof said.value === "object" ? "" : `: ${said.value}`;
  return texts.done + value;
}

/** The values by name, or the first input that holds none. */
function read(form) {
  const values = {};
  for (const input of form.querySelectorAll("[data-type]")) {
    const text = input.value.trim();
    input.removeAttribute("aria-invalid");
    if (text === "" && !input.required) continue;
    const value = meant(input.dataset.type, text);
    if (text === "" || value === undefined) {
      input.setAttribute("aria-invalid", "true");
      return { values, wrong: input };
    }
    values[input.name] = value;
  }
  return { values };
}

function meant(type, text) {
  if (type === "boolean") return text === "true";
  if (type !== "number" && type !== "integer") return text;
  const number = Number(text.replace(",", "."));
  return Number.isFinite(number) && (type === "number" || Number.isInteger(number)) ? number : undefined;
}

function say(form, kind, text) {
  const place = form.querySelector("output.said");
  place.className = `said ${kind}`;
  place.textContent = text;
}
