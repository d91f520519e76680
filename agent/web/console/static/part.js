// How much of a job is done, as a bar; without one where nobody knows.
document.addEventListener("items", (event) => {
  for (const [id, [text]] of Object.entries(event.detail)) {
    if (!id.startsWith("part:")) continue;
    const bar = document.getElementById(id)?.querySelector("progress");
    if (!bar) continue;
    bar.hidden = text === "";
    bar.value = Number(text);
  }
});
