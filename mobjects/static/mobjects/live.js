// Parts of a page that renew themselves.
//
// An element with hx-get, hx-trigger="poll" and data-poll asks again by itself: after two seconds where something
// changed, ever later where nothing did (up to 15 s, or data-poll-idle seconds), and not while nobody looks at the
// page. An answer with status 286 is the last. What it holds under [data-announce] is read out when it changed, at
// most every ten seconds; all else stays silent. Where it has a value, only another value is a change. Parts
// elsewhere that the answer brings along count with it if data-poll-parts finds them. What did not change is not
// replaced. The keyboard's place and how far a table was scrolled are kept.
"use strict";
(() => {
  const FOCUSABLE = "a[href], button, [tabindex]";
  const SOON = 2;
  const IDLE = 15;
  const SLOWER = 1.5;
  const SPOKEN_EVERY = 10_000;
  const LAST = 286;

  const plain = (element) => element.textContent.replace(/\s+/g, " ").trim();
  const words = (region) => [...region.querySelectorAll("[data-announce]")].map(plain).join(" ");
  const sense = (region) =>
    [...region.querySelectorAll("[data-announce]")].map((each) => each.dataset.announce || plain(each)).join(" ");
  const parts = (region) => [...document.querySelectorAll(region.dataset.pollParts || ":not(*)")];
  const all = (region) => [region, ...parts(region)];
  const shownIn = (region) => [plain(region), ...parts(region).map(sense)].join(" ");

  // --- asking again ---

  class Poll {
    constructor(region) {
      this.region = region;
      this.longest = Number(region.dataset.pollIdle) || IDLE;
      this.wait = SOON;
      this.shown = shownIn(region);
      for (const each of all(region)) {
        said.set(each.id, sense(each));
      }
      this.plan();
      document.addEventListener("htmx:afterRequest", (event) => this.answered(event));
    }

    plan() {
      this.timer = setTimeout(() => this.ask(), this.wait * 1000);
    }

    ask() {
      if (!this.region.isConnected) {
        return;
      }
      if (document.hidden) {
        document.addEventListener("visibilitychange", () => this.ask(), { once: true });
        return;
      }
      window.htmx.trigger(this.region, "poll");
    }

    answered(event) {
      // The event comes from what stood around it where the answer has replaced the element.
      if (event.detail.requestConfig.elt !== this.region) {
        return;
      }
      const isLast = event.detail.xhr.status === LAST;
      // The answer's parts are in place a moment later.
      setTimeout(() => {
        // The answer may have replaced the element; without data-poll it was the last.
        this.region = document.getElementById(this.region.id) ?? this.region;
        if (isLast || !("poll" in this.region.dataset)) {
          announce(this.region);
          return;
        }
        const shown = shownIn(this.region);
        const changed = event.detail.successful && shown !== this.shown;
        this.wait = changed ? SOON : Math.min(this.wait * SLOWER, this.longest);
        this.shown = shown;
        if (changed) {
          announce(this.region);
        }
        this.plan();
      }, 100);
    }
  }

  // --- reading out ---

  let voice = null;
  let next = null;
  const said = new Map();

  const makeVoice = () => {
    voice = document.createElement("p");
    voice.className = "sr-only";
    voice.setAttribute("role", "status");
    (document.querySelector("main") ?? document.body).append(voice);
  };

  const waiting = new Set();

  const announce = (region) => {
    const changed = all(region).filter((each) => sense(each) && sense(each) !== said.get(each.id));
    for (const each of all(region)) {
      said.set(each.id, sense(each));
    }
    if (!changed.length) {
      return;
    }
    for (const each of changed) {
      waiting.add(each.id);
    }
    clearTimeout(next?.timer);
    const speak = () => {
      voice.textContent = [...waiting].map((id) => words(document.getElementById(id) ?? voice)).join(" ");
      waiting.clear();
      next = { until: Date.now() + SPOKEN_EVERY };
    };
    const rest = (next?.until ?? 0) - Date.now();
    if (rest > 0) {
      next.timer = setTimeout(speak, rest);
    } else {
      speak();
    }
  };

  // --- keeping the place ---

  let place = null;
  let scrolled = new Map();
  const key = (region) => region.getAttribute("aria-label");
  const part = (element) =>
    element.closest("#job-live, #job-about, #job-records, #job-batches, #job-facts, #dashboard-attention, [data-poll]");

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { fragment, target } = event.detail;
    if (fragment.firstElementChild?.innerHTML === target.innerHTML) {
      event.detail.shouldSwap = false;
    }
  });

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

  const start = () => {
    makeVoice();
    for (const region of document.querySelectorAll("[data-poll]")) {
      new Poll(region);
    }
  };
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
