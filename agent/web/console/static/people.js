// Users, tokens and one's own password: a form becomes one request, and says in its section what came
// of it. What has changed is asked for anew.
import { send } from "./session.js";

const texts = JSON.parse(document.body.dataset.texts);

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-url]");
  if (!form || form.dataset.act) return;
  event.preventDefault();
  if (!form.hasAttribute("aria-busy")) change(form);
});

async function change(form) {
  const { again, ...body } = Object.fromEntries([...form.elements].filter((it) => it.name).map((it) => [it.name, meant(it)]));
  if (again !== undefined && again !== (body.new ?? body.password)) {
    form.elements.again.focus();
    return say(form, "unsafe", texts.different);
  }
  form.setAttribute("aria-busy", "true");
  const { ok, said } = await send(form.dataset.method ?? "POST", form.dataset.url, body);
  form.removeAttribute("aria-busy");
  if (!ok) return say(form, "unsafe", said?.detail ?? texts.no_answer);
  say(form, "safe", texts.done);
  if (form.querySelector("[type=password], #token-name")) form.reset();
  if (form.dataset.renew) renew(document.getElementById(form.dataset.renew));
  if (form.dataset.then === "language") location.assign(`/people${body.language && `?language=${body.language}`}`);
  if (form.dataset.then === "token") showToken(said.token);
}

const renew = (list) => list.dispatchEvent(new CustomEvent("renew"));

function meant(input) {
  const text = input.dataset.type === "integer" ? input.value.trim() : input.value;
  return input.dataset.type === "integer" && /^\d{1,6}$/.test(text) ? Number(text) : text;
}

function say(form, kind, text) {
  const place = document.getElementById(form.dataset.said);
  place.className = `said ${kind}`;
  place.textContent = text;
}

const made = document.getElementById("made");
const token = document.getElementById("made-token");

function showToken(text) {
  token.value = text;
  document.getElementById("made-said").textContent = "";
  made.showModal();
  token.select();
}

made?.addEventListener("close", () => (token.value = ""));
document.getElementById("made-close")?.addEventListener("click", () => made.close());
document.getElementById("made-copy")?.addEventListener("click", async () => {
  const said = document.getElementById("made-said");
  try {
    await navigator.clipboard.writeText(token.value);
    said.textContent = texts.copied;
  } catch {
    token.select();
    said.textContent = texts.not_copied;
  }
});
