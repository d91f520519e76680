// While a finger or a mouse button is down, no part of the page comes anew: what is let go would not be
// what was pressed, and what is dragged would go back. It comes as soon as it is let go.
const LONGEST_MS = 10_000; // for a pointer whose end nobody tells of

const waiting = new Set();
let pressed = 0; // the timer of the press; 0 where nothing is pressed

export function startSteady() {
  document.addEventListener("pointerdown", press, true);
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => setTimeout(letGo), true); // after the click that comes of it
  }
  addEventListener("blur", letGo);
  document.addEventListener("htmx:before:swap", (event) => {
    if (!pressed || !event.target.matches('[hx-trigger="renew"]')) return; // the others were asked for
    event.preventDefault();
    waiting.add(event.target.id);
  });
}

function press() {
  clearTimeout(pressed);
  pressed = setTimeout(letGo, LONGEST_MS);
}

function letGo() {
  clearTimeout(pressed);
  pressed = 0;
  const parts = [...waiting];
  waiting.clear();
  for (const id of parts) document.getElementById(id)?.dispatchEvent(new CustomEvent("renew"));
}
