// How old each value is, counted by the page's own clock from the age that came with it.
const readAt = new WeakMap();

/** Remember that the value of this element is `age` seconds old now; null: no age is known. */
export function setAge(element, age) {
  if (age === null) readAt.delete(element);
  else readAt.set(element, performance.now() - age * 1000);
  show(element);
}

let words = {};

/** Take the ages of the values that the page came with, and count on. */
export function startAges(texts) {
  words = texts;
  takeAges(document);
  setInterval(() => document.querySelectorAll(".value").forEach(show), 1000);
}

/** Take the ages of what has just come. Each is taken once: it was true when it came, and only then. */
export function takeAges(part) {
  part.querySelectorAll(".value[data-age]").forEach((it) => {
    setAge(it, Number(it.dataset.age));
    it.removeAttribute("data-age");
  });
}

function show(element) {
  const place = element.querySelector('[data-part="age"]');
  if (!place) return;
  const text = readAt.has(element) ? said((performance.now() - readAt.get(element)) / 1000) : "";
  if (place.textContent !== text) place.textContent = text;
}

function said(seconds) {
  if (seconds < 60) return words.seconds.replace("{n}", Math.floor(seconds));
  if (seconds < 3600) return words.minutes.replace("{n}", Math.floor(seconds / 60));
  return words.hours.replace("{n}", Math.floor(seconds / 3600));
}
