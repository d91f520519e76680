// How a page changes something: JSON to the API, with what shows that the person is signed in.

let session = null;

/** Who is signed in: {user, role, locked, csrf}; {} where nobody is, or nobody can be. */
export async function signedIn() {
  const address = document.body.dataset.session;
  if (!address) return {};
  session ??= fetch(address, { headers: { Accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : {}))
    .catch(() => ({}));
  return session;
}

/** Forget who is signed in, as after signing in or out. */
export function forget() {
  session = null;
}

/**
 * Ask the API for a change. Resolves to {ok, said}: the answer, or the problem detail, or null where
 * none came, which means that nobody knows whether it was done. `more` are further headers; `signal`
 * ends the waiting, and not what was asked for.
 */
export async function send(method, url, body = {}, more = {}, signal = undefined) {
  const { csrf } = await signedIn();
  const headers = {
    ...more,
    "Content-Type": "application/json",
    "Accept-Language": document.documentElement.lang,
  };
  if (csrf) headers["X-CSRF-Token"] = csrf;
  try {
    const answer = await fetch(url, { method, headers, signal, body: JSON.stringify(body) });
    if (answer.status === 401 || answer.status === 403) forget();
    return { ok: answer.ok, said: await answer.json() };
  } catch {
    return { ok: false, said: null };
  }
}
