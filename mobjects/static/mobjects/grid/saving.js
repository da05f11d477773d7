// Saving a grid: only what was changed is sent; what comes back is put into the cells, and nothing typed is lost.
"use strict";
(() => {
  const grid = window.moGrid;
  if (!grid.table) return;
  const form = document.getElementById("mo-grid-form");
  const button = document.getElementById("mo-grid-save");
  const questions = document.getElementById("mo-grid-questions");
  const token = form.querySelector("[name=csrfmiddlewaretoken]");
  let saving = false;

  grid.onChange(() => {
    const cells = grid.changed();
    button.disabled = saving || !cells.length;
    document.getElementById("mo-grid-undo").disabled = !grid.canUndo();
    const count = new Set(cells.map((cell) => cell.parentNode)).size;
    grid.tell(cells.length ? grid.say("changed", { cells: cells.length, rows: count }) : grid.say("unchanged"));
  });
  window.addEventListener("beforeunload", (event) => {
    grid.finish();
    if (grid.changed().length) event.preventDefault();
  });

  const cellOf = (id, name) => grid.table.querySelector(`tr[data-id="${id}"] td[data-name="${CSS.escape(name)}"]`);
  const collect = () => {
    const records = {};
    for (const cell of grid.changed()) {
      (records[cell.parentNode.dataset.id] ??= {})[cell.dataset.name] = [grid.opened(cell), grid.text(cell), cell.dataset.held ?? ""];
    }
    return records;
  };
  const post = (records) => fetch(form.action, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token.value },
    body: JSON.stringify({ records }),
  });
  // Signing in again in another tab makes the page's token an old one.
  const renew = async () => {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const fresh = page.querySelector("#mo-grid-form");
    if (!fresh) return "signed-out";
    token.value = fresh.querySelector("[name=csrfmiddlewaretoken]").value;
    const before = form.dataset.person;
    form.dataset.person = fresh.dataset.person;
    return before === form.dataset.person ? "" : "somebody-else";
  };
  // The answer; where there is none because somebody has to sign in first, or is somebody else now, the name of the text.
  const send = async (records) => {
    let response = await post(records);
    if (response.status === 403 && !isJson(response)) {
      const reason = await renew();
      if (reason) return reason;
      response = await post(records);
    }
    return response.redirected ? "signed-out" : response;
  };
  const isJson = (response) => (response.headers.get("Content-Type") ?? "").startsWith("application/json");

  const ask = (id, clash) => {
    const cell = cellOf(id, clash.name);
    const field = document.createElement("fieldset");
    field.className = "mo-card mo-question";
    const legend = document.createElement("legend");
    legend.textContent = grid.say("question", { label: clash.label, record: grid.record(cell) });
    field.append(legend);
    const author = clash.author || grid.say("nobody");
    const value = (text) => text || grid.say("empty");
    const choose = (words, chosen) => {
      const choice = document.createElement("button");
      choice.type = "button";
      choice.className = "mo-button mo-plain";
      choice.textContent = words;
      choice.addEventListener("click", () => {
        grid.blame(cell, "");
        chosen();
        grid.announce();
        field.remove();
        (questions.querySelector("button") ?? cell).focus();
      });
      field.append(choice);
    };
    // What was seen is what it is compared with next time: a third edit is asked about again.
    const decide = (text) => {
      cell.dataset.opened = clash.now;
      if (clash.held !== undefined) cell.dataset.held = clash.held;
      grid.write(cell, text);
    };
    const theirs = value(clash.words ?? clash.now);
    choose(grid.say("theirs", { value: theirs, author }), () => decide(clash.now));
    choose(grid.say("mine", { value: value(grid.text(cell)) }), () => decide(grid.text(cell)));
    questions.append(field);
    grid.blame(cell, grid.say("now", { value: theirs, author }));
  };
  // Puts what is kept now into a record's cells; gives the headings of those that others changed.
  const saved = (id, cells, sent) => {
    const others = [];
    for (const [name, now] of Object.entries(cells)) {
      const cell = cellOf(id, name);
      if (!cell) continue;
      const isBusy = grid.isChanged(cell) || cell.querySelector(".mo-cell-input");
      // What is typed while the rest is saved is compared with what the person saw, not with what they never did.
      if (!sent[name] && isBusy) continue;
      if (!sent[name] && grid.text(cell) !== now) others.push(grid.label(cell));
      grid.blame(cell, "");
      if (sent[name] && grid.text(cell) === sent[name][1]) {
        grid.part(cell).textContent = now;
        cell.dataset.opened = now;
      }
      grid.refresh(cell, now);
    }
    return others;
  };
  const refused = (id, errors) => {
    const row = grid.table.querySelector(`tr[data-id="${id}"]`);
    for (const [name, words] of Object.entries(errors)) grid.blame(cellOf(id, name) ?? row.cells[0], words);
  };
  const apply = (records, sent) => {
    const counts = { saved: 0, refused: 0, conflict: 0 };
    const merged = [];
    for (const answer of records) {
      counts[answer.outcome === "gone" ? "refused" : answer.outcome] += 1;
      grid.blame(grid.table.querySelector(`tr[data-id="${answer.id}"]`).cells[0], "");
      if (answer.outcome === "saved") merged.push(...saved(answer.id, answer.cells, sent[answer.id]));
      refused(answer.id, answer.errors ?? {});
      for (const clash of answer.clashes ?? []) ask(answer.id, clash);
    }
    const words = ["saved", "refused", "conflict"].filter((each) => counts[each]).map((each) => grid.say(each, counts));
    if (merged.length) words.push(grid.say("merged", { merged: [...new Set(merged)].join(", ") }));
    if (!counts.refused && !counts.conflict) grid.forget();
    grid.announce();
    return words.join(" ");
  };
  const save = async () => {
    const records = collect();
    if (saving || !Object.keys(records).length) return;
    saving = true;
    questions.replaceChildren();
    grid.tell(grid.say("saving"));
    let words = grid.say("failed");
    try {
      const response = await send(records);
      if (typeof response === "string") words = grid.say(response, { person: form.dataset.person });
      else if (isJson(response)) {
        const answer = await response.json();
        words = answer.problem ?? apply(answer.records, records);
      }
    } catch (error) {
      console.warn(error);  // No answer at all; the words say so.
    }
    saving = false;
    button.disabled = !grid.changed().length;
    grid.tell(words);
    (questions.querySelector("button") ?? grid.table.querySelector("[aria-invalid=true]"))?.focus();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    grid.finish();
    save();
  });
})();
