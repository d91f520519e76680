// Who comes from a link on another site is not known at first: browsers keep the cookie back. Asked
// from our own page it is sent, and who has signed in already goes on.
import { signedIn } from "./session.js";

const next = document.querySelector('input[name="next"]');
const isRefused = document.getElementById("wrong") !== null;
if (next && !isRefused && (await signedIn()).signed_in) location.replace(next.value);
const empty = [...document.querySelectorAll("main input:not([type=hidden])")].find((it) => it.value === "");
empty?.focus();
