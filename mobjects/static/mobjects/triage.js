// Keys for lists, on every page. Off where somebody types, and where they were switched off in the help (“?”).
//
// - A table or list with data-triage (and every list of the admin): j and k go from row to row, Enter or o opens the
//   row's first link, x ticks its box. The place in a list is kept when the page is loaded again.
// - Any link or button with data-key="r": that key presses it; inside the row that j and k went to, only for that row.
//   The help lists those of the page by their words, or by data-key-words.
// - “/” goes to the search, “?” shows the help (templates/mobjects/_keys.html).
"use strict";
(() => {
  const LISTS = "[data-triage], #result_list";
  const ROWS = "table[data-triage] > tbody > tr, #result_list > tbody > tr, ul[data-triage] > li";
  const OFF = "mobjects-keys-off";
  const TYPED = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select";

  const help = () => document.getElementById("mo-keys");
  const isOff = () => localStorage.getItem(OFF) === "1";
  const shown = (element) => element.getClientRects().length > 0 && !element.disabled;
  const rows = () => [...document.querySelectorAll(ROWS)].filter(shown);
  const current = () => document.activeElement?.closest(ROWS) ?? document.querySelector("[data-current]");

  // --- rows ---

  const placeKey = () => `mobjects-row ${location.pathname}`;

  const go = (row) => {
    document.querySelector("[data-current]")?.removeAttribute("data-current");
    row.dataset.current = "";
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    sessionStorage.setItem(placeKey(), rows().indexOf(row));
  };

  const step = (by) => {
    const all = rows();
    if (!all.length) {
      return;
    }
    const here = current();
    const kept = Number(sessionStorage.getItem(placeKey()) ?? -1);
    const from = here && all.includes(here) ? all.indexOf(here) + by : Math.max(kept, 0);
    go(all[Math.min(Math.max(from, 0), all.length - 1)]);
  };

  const find = (key) => {
    const row = current();
    const inRow = row ? [...row.querySelectorAll(`[data-key="${key}"]`)].find(shown) : null;
    const outside = [...document.querySelectorAll(`[data-key="${key}"]`)].filter((each) => !each.closest(LISTS));
    return inRow ?? outside.find(shown);
  };

  const FIXED = {
    j: () => step(1),
    k: () => step(-1),
    o: () => current()?.querySelector("a[href]")?.click(),
    x: () => current()?.querySelector("input[type=checkbox]")?.click(),
    "/": () => document.querySelector("#searchbar, [type=search]:not(#search-input-command)")?.focus(),
    "?": () => openHelp(),
  };

  const press = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isOff() || help()?.open) {
      return;
    }
    if (event.target.closest?.(TYPED) || event.target.isContentEditable) {
      return;
    }
    const named = /^[\w?/]$/.test(event.key) ? find(event.key) : null;
    const act = named ? () => named.click() : FIXED[event.key];
    if (act) {
      event.preventDefault();
      act();
    } else if (event.key === "Enter" && event.target.matches("[data-current]")) {
      FIXED.o();
    }
  };

  // --- help ---

  const describe = (element) => {
    const line = document.createElement("div");
    const key = document.createElement("dt");
    const words = document.createElement("dd");
    const kbd = document.createElement("kbd");
    kbd.textContent = element.dataset.key;
    words.textContent = element.dataset.keyWords ?? element.textContent.trim();
    key.append(kbd);
    line.append(key, words);
    return line;
  };

  const openHelp = () => {
    const dialog = help();
    if (!dialog) {
      return;
    }
    const found = new Map();
    for (const element of document.querySelectorAll("[data-key]")) {
      if (shown(element) && !found.has(element.dataset.key)) {
        found.set(element.dataset.key, element);
      }
    }
    dialog.querySelector("[data-page-keys]").replaceChildren(...[...found.values()].map(describe));
    dialog.querySelector("[name=keys-on]").checked = !isOff();
    dialog.showModal();
  };

  document.addEventListener("keydown", press);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-help]")) {
      openHelp();
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.name === "keys-on") {
      localStorage.setItem(OFF, event.target.checked ? "0" : "1");
    }
  });
})();
