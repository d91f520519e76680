// The order of the queue: by the two buttons, by the arrow keys on the handle, or by dragging it.
import { tell } from "./do.js";
import { send } from "./session.js";

const texts = JSON.parse(document.body.dataset.texts);
let dragged = null;

const rows = () => [...document.querySelectorAll("#waiting > li")];

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-move]");
  if (button) step(button.closest("li"), button.dataset.move);
});

document.addEventListener("keydown", (event) => {
  const handle = event.target.closest("#waiting .handle");
  const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
  if (!handle || !way) return;
  event.preventDefault();
  step(handle.closest("li"), way);
});

function step(row, way) {
  const all = rows();
  const at = all.indexOf(row);
  if (way === "up" && at > 0) move(row, all[at - 1]);
  if (way === "down" && at < all.length - 1) move(row, all[at + 2] ?? null);
}

async function move(row, before) {
  const place = before ? { to: "before", other: before.dataset.job } : { to: "last" };
  const { ok, said } = await send("POST", `/api/v1/jobs/${row.dataset.job}/move`, place);
  tell(ok, said, texts.moved);
  // The agent's order counts: also where it was not asked, or said no.
  document.getElementById("queue").dispatchEvent(new CustomEvent("renew"));
}

// By mouse, pen and finger alike; while it is dragged the row follows, and nothing is sent.
document.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest("#waiting .handle");
  if (!handle || event.button !== 0) return;
  handle.setPointerCapture(event.pointerId);
  dragged = handle.closest("li");
  dragged.dataset.from = rows().indexOf(dragged);
  dragged.classList.add("is-dragged");
});

document.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  const before = rows().find((it) => it !== dragged && event.clientY < middle(it));
  if (before !== dragged.nextElementSibling) dragged.parentElement.insertBefore(dragged, before ?? null);
});

document.addEventListener("pointerup", drop);
document.addEventListener("pointercancel", drop);

function drop() {
  if (!dragged) return;
  const row = dragged;
  dragged = null;
  row.classList.remove("is-dragged");
  if (rows().indexOf(row) !== Number(row.dataset.from)) move(row, row.nextElementSibling);
}

function middle(row) {
  const { top, height } = row.getBoundingClientRect();
  return top + height / 2;
}
