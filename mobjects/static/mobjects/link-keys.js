// Links that a key follows (data-key), as long as nothing is being typed; and the field that is to be corrected: the
// theme hides the page until its own scripts run, so that the browser does not focus it by itself.
"use strict";
(() => {
  const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
  window.addEventListener("load", () => document.querySelector("form [autofocus]")?.focus());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(TYPING)) return;
    const link = [...document.querySelectorAll("a[data-key]")].find((each) => each.dataset.key === event.key);
    if (link) {
      event.preventDefault();
      link.click();
    }
  });
})();
