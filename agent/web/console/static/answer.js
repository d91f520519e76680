// Answers to a job's questions: yes or no by one button each, or a value that is checked first.
import { checkWhileTyping, firstWrong, sayWrong, valueOf } from "./fields.js";
import { send } from "./session.js";

const FIELDS = "form[data-answer] input[data-type], form[data-answer] select[data-type]";
const texts = JSON.parse(document.body.dataset.texts);
const underWay = new Set(); // by address: the page may make the next question of this form

checkWhileTyping(FIELDS);
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-answer]");
  if (!form) return;
  event.preventDefault();
  if (!underWay.has(form.dataset.answer)) answer(form, event.submitter);
});

async function answer(form, button) {
  const field = form.querySelector("input[data-type], select[data-type]");
  const wrong = field && firstWrong([field]);
  if (wrong) {
    wrong.focus();
    return;
  }
  const address = form.dataset.answer;
  underWay.add(address);
  form.setAttribute("aria-busy", "true");
  say(form, "waiting", texts.asking);
  const value = field ? valueOf(field).value : button.value === "true";
  const { ok, said } = await send("POST", address, { value });
  underWay.delete(address);
  form.removeAttribute("aria-busy");
  if (ok) say(form, "safe", texts.done);
  else if (said === null) say(form, "unsafe", texts.not_known);
  else refused(form, field, said.detail);
}

function refused(form, field, text) {
  say(form, "unsafe", field ? "" : text);
  if (!field) return;
  sayWrong(field, text);
  field.focus();
}

function say(form, kind, text) {
  const place = form.querySelector("output.said");
  place.className = `said ${kind}`;
  place.textContent = text;
}
