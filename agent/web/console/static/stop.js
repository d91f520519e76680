// Stop: by the button or by Ctrl+Shift+. on every page. It needs no sign-in and no live connection,
// and says of each device whether it is confirmed safe. Without this script the form does the same.
const WITHIN_MS = 15000;

/** Make the button and the keys stop everything. */
export function startStop(texts) {
  const form = document.getElementById("stop");
  const stop = () => stopAll(texts);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    stop();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.shiftKey && event.code === "Period") {
      event.preventDefault();
      stop();
    }
  });
  document.getElementById("stop-close").addEventListener("click", () => dialog().close());
}

const dialog = () => document.getElementById("stop-result");

async function stopAll(texts) {
  show("waiting", texts.stopping, {});
  if (!dialog().open) dialog().showModal();
  try {
    const answer = await fetch("/api/v1/stop", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Accept-Language": document.documentElement.lang,
        // Who has signed in stops in their own name. Where it no longer counts, nobody stops.
        "X-CSRF-Token": document.body.dataset.csrf ?? "",
      },
      body: "{}",
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const said = await answer.json();
    if (answer.ok) show("safe", texts.stopped, said.devices, texts);
    else show("unsafe", texts.not_stopped, said.devices ?? {}, texts, said.devices ? "" : said.detail);
  } catch {
    show("unsafe", texts.unreached, {}, texts);
  }
}

function show(kind, text, devices, texts, detail = "") {
  const said = document.getElementById("stop-said");
  said.className = kind;
  said.textContent = detail ? `${text} ${detail}` : text;
  const lines = Object.entries(devices).map(([name, outcome]) => {
    const line = document.createElement("li");
    line.dataset.status = outcome.status;
    const strong = document.createElement("strong");
    strong.textContent = name;
    line.append(strong, ` ${texts[`stop_${outcome.status}`]} `, note(outcome));
    return line;
  });
  document.getElementById("stop-devices").replaceChildren(...lines);
}

function note(outcome) {
  const place = document.createElement("span");
  place.className = "note";
  place.textContent = outcome.status === "done" ? "" : outcome.message;
  return place;
}
