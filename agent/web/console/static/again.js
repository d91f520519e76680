// The password again, in a dialog: the browser keeps the focus inside, Esc and Cancel give up.
let asking = null;

/**
 * Ask for the password until `unlock(password)` is ok. Resolves to whether it was given: false where
 * the person gave up. Several who ask at once are answered by one dialog.
 */
export function passwordAgain(unlock) {
  asking ??= ask(unlock).finally(() => (asking = null));
  return asking;
}

function ask(unlock) {
  const dialog = document.getElementById("again");
  const form = document.getElementById("again-form");
  if (!dialog) return Promise.resolve(false);
  if (!form) return elsewhere(dialog);
  const { again, said, cancel } = { again: form.elements.password, said: form.querySelector("output"), cancel: document.getElementById("again-cancel") };
  const { texts } = document.body.dataset;
  return new Promise((decided) => {
    let isGiven = false;
    const gaveUp = () => dialog.close();
    const given = async (event) => {
      event.preventDefault();
      if (form.hasAttribute("aria-busy")) return;
      form.setAttribute("aria-busy", "true");
      const found = await unlock(again.value);
      form.removeAttribute("aria-busy");
      again.value = "";
      isGiven = found.ok;
      if (isGiven) return dialog.close();
      said.textContent = found.said?.detail ?? JSON.parse(texts).no_answer;
      again.focus();
    };
    form.addEventListener("submit", given);
    cancel.addEventListener("click", gaveUp);
    dialog.addEventListener(
      "close",
      () => {
        form.removeEventListener("submit", given);
        cancel.removeEventListener("click", gaveUp);
        again.value = "";
        said.textContent = "";
        decided(isGiven);
      },
      { once: true },
    );
    dialog.showModal();
    again.focus();
  });
}

// Who signs in elsewhere leaves the page for it, and does again then what was asked: nothing is known here.
function elsewhere(dialog) {
  const cancel = document.getElementById("again-cancel");
  const gaveUp = () => dialog.close();
  return new Promise((decided) => {
    cancel.addEventListener("click", gaveUp);
    dialog.addEventListener(
      "close",
      () => {
        cancel.removeEventListener("click", gaveUp);
        decided(false);
      },
      { once: true },
    );
    dialog.showModal();
    dialog.querySelector("button").focus();
  });
}
