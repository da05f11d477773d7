// Parts of a page that renew themselves: the keyboard's place and how far a table was scrolled outlive it.
"use strict";
(() => {
  const FOCUSABLE = "a[href], button, [tabindex]";
  let place = null;
  let scrolled = new Map();

  const key = (region) => region.getAttribute("aria-label");
  const part = (element) => element.closest("#job-live, #job-about, #job-records, #job-batches, #job-facts");

  document.addEventListener("htmx:beforeSwap", () => {
    const active = document.activeElement;
    const around = active ? part(active) : null;
    place = around ? { id: around.id, index: [...around.querySelectorAll(FOCUSABLE)].indexOf(active) } : null;
    scrolled = new Map([...document.querySelectorAll(".mo-scroll")].map((region) => [key(region), region.scrollLeft]));
  });

  document.addEventListener("htmx:afterSettle", () => {
    for (const region of document.querySelectorAll(".mo-scroll")) {
      region.scrollLeft = scrolled.get(key(region)) ?? 0;
    }
    const around = place ? document.getElementById(place.id) : null;
    if (around && !part(document.activeElement)) {
      around.querySelectorAll(FOCUSABLE)[place.index]?.focus({ preventScroll: true });
    }
  });
})();
