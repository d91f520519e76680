// Buttons that act by a script come disabled, and act once every script of the page is there: what is
// pressed before would do nothing, and say nothing.

/** Let them act. The page's other scripts have run: it names this one's caller as the last. */
export function startReady() {
  for (const button of document.querySelectorAll('button[disabled="waits"]')) {
    button.disabled = false;
  }
}
