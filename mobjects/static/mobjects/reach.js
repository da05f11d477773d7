// What the theme made for the mouse only: parts with a click handler that are neither links with an address nor
// buttons. They get a place in the order of the keyboard, a role, and a name where they show an icon only. The menu of
// a narrow window takes the keyboard when it opens and gives it back when it closes. Enter in the palette opens the first
// result where no arrow key chose another one; the theme's script fails there. What scrolls has a name in the reader's language.
"use strict";
(() => {
  const CLICKED = "x-on\\:click";
  const NATIVE = "a[href], button, input, select, textarea, label, summary";
  const LABELS = { dock_to_right: "menu", close: "close", visibility: "password", visibility_off: "password" };

  const words = () => document.getElementById("mo-keys")?.dataset ?? {};
  const menu = () => document.getElementById("nav-sidebar");
  const opener = () => [...document.querySelectorAll("[data-reach=dock_to_right]")].find((part) => part.offsetParent);

  const mend = (part) => {
    if (part.matches(NATIVE) || part.querySelector(NATIVE) || !part.textContent.trim()) {
      return;
    }
    const icon = part.textContent.trim();
    part.tabIndex = 0;
    part.setAttribute("role", "button");
    part.dataset.reach = icon;
    const name = words()[LABELS[icon]];
    if (name) {
      part.setAttribute("aria-label", name);
    }
    part.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        part.click();
      }
    });
  };

  const followMenu = (event) => {
    const part = event.target.closest?.("[data-reach]");
    if (part?.dataset.reach === "dock_to_right") {
      // Alpine shows it a moment later.
      requestAnimationFrame(() => requestAnimationFrame(() => {
        if (getComputedStyle(menu()).position === "fixed" && window.innerWidth < 1280) {
          menu().querySelector("a[href]")?.focus();
        }
      }));
    } else if (part?.dataset.reach === "close" && menu()?.contains(part)) {
      opener()?.focus();
    }
  };

  const closeMenu = (event) => {
    if (event.key === "Escape" && menu()?.contains(document.activeElement)) {
      const close = [...menu().querySelectorAll("[data-reach=close]")].find((part) => part.getClientRects().length);
      close?.click();
    }
  };

  const openFirst = (event) => {
    if (event.key !== "Enter" || event.target.id !== "search-input-command"
      || document.querySelector("#command-results li.active")) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const first = document.querySelector("#command-results a[href]");
    if (first) {
      window.location = first.href;
    }
  };

  // The theme's scroll bars name what they scroll, in English; they are made after this.
  const nameScrolled = (part) => {
    part.setAttribute("data-simplebar-aria-label", (menu()?.contains(part) ? words().menu : words().scrolled) ?? "");
  };

  const start = () => {
    document.querySelectorAll("[data-simplebar]").forEach(nameScrolled);
    document.querySelectorAll(`[${CLICKED}]`).forEach(mend);
    const palette = document.getElementById("search-input-command")?.closest("[x-data]");
    palette?.setAttribute("role", "dialog");
    palette?.setAttribute("aria-modal", "true");
    palette?.setAttribute("aria-label", words().palette ?? "");
    document.getElementById("search-input-command")?.setAttribute("aria-label", words().palette ?? "");
    document.getElementById("command-results")?.setAttribute("aria-live", "polite");
    document.addEventListener("click", followMenu);
    document.addEventListener("keydown", closeMenu);
    document.addEventListener("keydown", openFirst, { capture: true });
  };
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
