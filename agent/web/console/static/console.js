// What every page does: it keeps itself up to date, and it can stop everything.
import { startLive } from "./live.js";
import { startStop } from "./stop.js";
import { startAges } from "./ages.js";
import { startPerson } from "./person.js";
import { startReady } from "./ready.js";
import { startSteady } from "./steady.js";

export const texts = JSON.parse(document.body.dataset.texts);

startStop(texts); // first: it must work whatever becomes of the rest
startAges(texts);
startSteady();
startLive(texts);
startPerson();
startReady();
