// What a field holds, checked by the rules that the agent checks by as well: it has the last word.

const texts = JSON.parse(document.body.dataset.texts);

/** The value of a field as JSON has it, or what is wrong with it: {value} or {wrong}. */
export function valueOf(input) {
  const text = input.value.trim();
  if (text === "") return input.required ? { wrong: texts.missing } : {};
  const { type } = input.dataset;
  if (type === "boolean") return { value: text === "true" };
  if (type === "number" || type === "integer") return numberOf(input, text);
  if (type === "choice" || type === "file") return { value: text };
  if ([...text].length > Number(input.dataset.longest ?? 200)) {
    return { wrong: texts.too_long.replace("{n}", input.dataset.longest) };
  }
  return fits(input.dataset.pattern, text) ? { value: text } : { wrong: texts.no_match };
}

function numberOf(input, text) {
  const number = Number(text.replace(",", "."));
  if (!Number.isFinite(number)) return { wrong: texts.bad_number };
  if (input.dataset.type === "integer" && !Number.isInteger(number)) return { wrong: texts.not_whole };
  const { low, high, unit } = input.dataset;
  if (low !== undefined && number < Number(low)) return { wrong: limit(texts.too_low, low, unit) };
  if (high !== undefined && number > Number(high)) return { wrong: limit(texts.too_high, high, unit) };
  return { value: number };
}

const limit = (text, end, unit) => text.replace("{limit}", `${Number(end)} ${unit}`.trim());

// A pattern that this browser does not understand is left to the agent.
function fits(pattern, text) {
  if (!pattern) return true;
  try {
    return new RegExp(`^(?:${pattern})$`, "u").test(text);
  } catch {
    return true;
  }
}

/** Say beside a field what is wrong with it; "" takes it back. */
export function sayWrong(input, wrong) {
  if (wrong) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  const place = document.getElementById(`${input.id}-wrong`);
  if (place && place.textContent !== wrong) place.textContent = wrong;
}

/** Check the fields of forms while they are typed in: a limit at once, what is missing on leaving. */
export function checkWhileTyping(fields) {
  document.addEventListener("input", (event) => {
    if (!event.target.matches(fields)) return;
    const { wrong } = valueOf(event.target);
    sayWrong(event.target, event.target.value.trim() === "" ? "" : (wrong ?? ""));
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.matches(fields)) sayWrong(event.target, valueOf(event.target).wrong ?? "");
  });
}

/** The first of these fields that is wrong, each having said so; undefined where none is. */
export function firstWrong(inputs) {
  for (const input of inputs) sayWrong(input, valueOf(input).wrong ?? "");
  return inputs.find((input) => input.hasAttribute("aria-invalid"));
}
