// Buttons that ask the agent for one thing: `data-do` is its address, `data-body` what goes with it.
import { send } from "./session.js";

const texts = JSON.parse(document.body.dataset.texts);

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button && !button.hasAttribute("aria-busy")) act(button);
});

async function act(button) {
  button.setAttribute("aria-busy", "true");
  const { ok, said } = await send("POST", button.dataset.do, JSON.parse(button.dataset.body ?? "{}"));
  button.removeAttribute("aria-busy");
  tell(ok, said);
  if (ok) document.dispatchEvent(new CustomEvent("done", { detail: { button, said } }));
}

/** Say on the page what came of a request; of one that was done the page shows it by itself. */
export function tell(ok, said, text = "") {
  const place = document.getElementById("told");
  place.className = `told ${ok ? "safe" : "unsafe"}`;
  place.textContent = ok ? text : said === null ? texts.not_known : said.detail;
}
