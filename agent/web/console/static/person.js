// Going to the page for signing in, and coming back to what was typed.
const KEY = "typed";
const FIELDS = "main input:not([type=password]):not([type=hidden]):not([type=file]):not([readonly]), main select, main textarea";

/** Keep what is typed where a link leads to signing in, and put back what was kept. */
export function startPerson() {
  putBack();
  document.addEventListener("click", (event) => {
    if (event.target.closest("button[data-keep]")) keep();
    const link = event.target.closest("a[data-sign-in]");
    if (!link) return;
    link.href = document.body.dataset.signIn; // in a part it would lead back to the part alone
    keep();
  });
  document.addEventListener("connection", (event) => event.detail === "lost" && leaveIfOver());
}

/** Go to the page for signing in; it leads back here. */
export function toSignIn() {
  keep();
  location.assign(document.body.dataset.signIn);
}

const here = () => location.pathname;
const fields = () => [...document.querySelectorAll(FIELDS)].filter((it) => it.id);

function keep() {
  const typed = fields()
    .filter((it) => (it.type === "checkbox" || it.type === "radio" ? it.checked !== it.defaultChecked : it.value !== ""))
    .map((it) => [it.id, it.type === "checkbox" || it.type === "radio" ? it.checked : it.value]);
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ at: here(), typed }));
  } catch {
    // A browser that keeps nothing: then it is typed again.
  }
}

function putBack() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (kept?.at !== here()) return;
    sessionStorage.removeItem(KEY);
    const values = new Map(kept.typed);
    for (const it of fields()) {
      const value = values.get(it.id);
      if (typeof value === "boolean") it.checked = value;
      else if (value !== undefined) it.value = value;
    }
  } catch {
    // What is not ours to read is left alone.
  }
}

// From another machine nothing is shown any more once the session is over: the page says why.
async function leaveIfOver() {
  const { network, session } = document.body.dataset;
  if (network === undefined) return;
  try {
    const answer = await fetch(session, { headers: { Accept: "application/json" } });
    if (answer.ok && !(await answer.json()).signed_in) toSignIn();
  } catch {
    // The agent does not answer: the page says so already.
  }
}
