// How a page changes something: JSON to the API, in the name of whom the page was made for. Where the
// password is needed again it is asked for, and what was asked is then repeated once: it was refused
// before anybody looked at it. This is the one place that knows of all this.
import { toSignIn } from "./person.js";
import { passwordAgain } from "./again.js";

const page = document.body.dataset;
const texts = JSON.parse(page.texts);
let csrf = page.csrf ?? "";
let session = null;

/** Who is signed in: {signed_in, name, display, role, locked, language, csrf}; {} where nobody can say. */
export async function signedIn() {
  if (!page.session) return {};
  session ??= fetch(page.session, { headers: { Accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : {}))
    .catch(() => ({}));
  return session;
}

/** Forget who is signed in, as after signing in or out. */
export function forget() {
  session = null;
}

/**
 * Ask the API for a change; `more` are further headers, and `signal` ends the waiting, not what was asked
 * for. Resolves to {ok, said}: the answer, or the problem detail, or null where none came, which means
 * that nobody knows whether it was done.
 */
export function send(method, url, body = {}, more = {}, signal = undefined) {
  return inTheirName((person) => ask(method, url, body, { ...person, ...more }, signal));
}

/**
 * The same for what is not sent as JSON, such as a file: `attempt(headers)` asks with these headers, and
 * resolves to {ok, said} as `send` does. It is called again only where nothing was looked at yet.
 */
export async function inTheirName(attempt) {
  const ours = () => attempt(csrf ? { "X-CSRF-Token": csrf } : {});
  let found = await ours();
  if (is(found, "no-csrf")) {
    if (!(await isStillThePerson())) return refused(texts.other_person);
    found = await ours();
  }
  if (is(found, "locked")) {
    if (!(await passwordAgain(unlock))) return refused(texts.still_locked);
    found = await ours();
  }
  if (is(found, "no-token")) {
    toSignIn();
    return refused(texts.sign_in_first);
  }
  return found;
}

async function ask(method, url, body, more, signal = undefined) {
  const headers = {
    "Content-Type": "application/json",
    "Accept-Language": document.documentElement.lang,
    ...more,
  };
  try {
    const answer = await fetch(url, { method, headers, signal, body: JSON.stringify(body) });
    if (answer.status === 401 || answer.status === 403) forget();
    return { ok: answer.ok, said: await answer.json() };
  } catch {
    return { ok: false, said: null };
  }
}

// Where the session is over meanwhile, no password opens it: what was asked is asked again, and leads on.
async function unlock(password) {
  const found = await ask("POST", `${page.session}/unlock`, { password }, { "X-CSRF-Token": csrf });
  return is(found, "no-token") ? { ok: true } : found;
}

export const is = (found, kind) => !found.ok && found.said?.type === `urn:problem-type:labkeeper:${kind}`;

const refused = (detail) => ({ ok: false, said: { detail } });

// Another page of this browser has signed in anew: as the same person, or as somebody else, in whose
// name nothing is done that stands on a page of this one.
async function isStillThePerson() {
  forget();
  const now = await signedIn();
  if (!page.person || now.name !== page.person) return false;
  csrf = now.csrf;
  return true;
}
