"use strict";
// Runs in the head: what only works with scripts is shown from the beginning.
document.documentElement.dataset.scripts = "yes";
