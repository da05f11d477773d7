// The field that is to be corrected: the theme hides the page until its own scripts run, so that the browser does not
// focus it by itself.
"use strict";
window.addEventListener("load", () => document.querySelector("form [autofocus]")?.focus());
