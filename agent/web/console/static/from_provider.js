// Back from where somebody has signed in: what the browser was sent with goes on at once, as a form of
// our own. The address is forgotten: a code stands in it.
history.replaceState(null, "", location.pathname);
document.getElementById("handed-on")?.submit();
