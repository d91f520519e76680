// Buttons that ask the agent for one thing: `data-do` is its address, `data-body` what goes with it.
import { send } from "./session.js";

const texts = JSON.parse(document.body.dataset.texts);
// By address: meanwhile the page may have made another button of this one, which must not wait for it.
const underWay = new Set();

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button && !underWay.has(button.dataset.do)) act(button);
});

async function act(button) {
  const address = button.dataset.do;
  const part = button.closest("[hx-get]")?.id;
  underWay.add(address);
  button.setAttribute("aria-busy", "true");
  const { ok, said } = await send("POST", address, JSON.parse(button.dataset.body ?? "{}"));
  underWay.delete(address);
  button.removeAttribute("aria-busy");
  tell(ok, said);
  // What was done shows at once, before the page hears of it from the agent.
  if (part) document.getElementById(part)?.dispatchEvent(new CustomEvent("renew"));
  if (ok) document.dispatchEvent(new CustomEvent("done", { detail: { button, said } }));
}

/** Say on the page what came of a request; of one that was done the page shows it by itself. */
export function tell(ok, said, text = "") {
  const place = document.getElementById("told");
  place.className = `told ${ok ? "safe" : "unsafe"}`;
  place.textContent = ok ? text : said === null ? texts.not_known : said.detail;
}
