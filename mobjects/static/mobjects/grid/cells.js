// The cells of a grid: what each holds and held when it was shown, taking edits back, and blocks as spreadsheets have them.
"use strict";
window.moGrid = (() => {
  const table = document.getElementById("mo-grid");
  const rows = table ? [...table.tBodies[0].rows] : [];
  const status = document.getElementById("mo-grid-status");
  const undone = [];
  const done = [];
  const listeners = [];

  const say = (name, values = {}) => {
    const text = document.querySelector(`#mo-grid-texts [data-text="${name}"]`).textContent;
    return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
  };
  const tell = (text) => { status.textContent = text; };
  const part = (cell) => cell.querySelector(".mo-cell");
  const text = (cell) => part(cell).textContent;
  const isOpen = (cell) => cell.getAttribute("aria-readonly") !== "true";
  const header = (cell) => table.tHead.rows[0].cells[cell.cellIndex];
  const choices = (cell) => [...header(cell).querySelectorAll("data")].map((each) => each.value);
  const label = (cell) => header(cell).childNodes[0].textContent.trim();
  const record = (cell) => text(cell.parentNode.cells[0]);
  const opened = (cell) => cell.dataset.opened ?? text(cell);
  const isChanged = (cell) => cell.dataset.opened !== undefined && cell.dataset.opened !== text(cell);
  const changed = () => [...table?.querySelectorAll("td[data-opened]") ?? []].filter(isChanged);

  // Called once for an edit, however many cells it writes: who listens looks at all of them.
  const announce = () => { for (const listener of listeners) listener(); };
  const show = (cell) => cell.classList.toggle("mo-changed", isChanged(cell));

  const write = (cell, value) => {
    if (cell.dataset.opened === undefined) cell.dataset.opened = text(cell);
    part(cell).textContent = value;
    blame(cell, "");
    show(cell);
  };

  // What the server holds now, as what a further edit starts from.
  const refresh = (cell, now) => {
    if (isChanged(cell)) cell.dataset.opened = now;
    else {
      part(cell).textContent = now;
      delete cell.dataset.opened;
    }
    show(cell);
  };

  // Put words about what is wrong into a cell, or take them away.
  const blame = (cell, words) => {
    cell.querySelector(".mo-wrong")?.remove();
    cell.removeAttribute("aria-invalid");
    cell.removeAttribute("aria-describedby");
    if (!words) return;
    const note = document.createElement("span");
    note.className = "mo-wrong";
    note.id = `wrong-${cell.parentNode.dataset.id}-${cell.cellIndex}`;
    note.textContent = words;
    cell.append(note);
    cell.setAttribute("aria-invalid", "true");
    cell.setAttribute("aria-describedby", note.id);
  };

  // Change cells as one edit: pairs of a cell and its new text.
  const change = (pairs) => {
    const edit = pairs.filter(([cell, value]) => isOpen(cell) && text(cell) !== value)
      .map(([cell, value]) => [cell, text(cell), value]);
    if (!edit.length) return;
    done.push(edit);
    undone.length = 0;
    for (const [cell, , value] of edit) write(cell, value);
    announce();
  };
  const repeat = (from, to, place) => {
    const edit = from.pop();
    if (!edit) return null;
    for (const entry of edit) write(entry[0], entry[place]);
    to.push(edit);
    announce();
    return edit[0][0];
  };
  const undo = () => repeat(done, undone, 1);
  const redo = () => repeat(undone, done, 2);
  // What is saved is taken back in the record's history, not here.
  const forget = () => { done.length = undone.length = 0; };

  // Rows of texts out of what a spreadsheet puts on the clipboard: tabs, line ends, quotes around cells that hold them.
  const parse = (block) => {
    const found = [[""]];
    let quoted = false;
    const source = block.replace(/\r\n?/g, "\n").replace(/\n$/, "");
    for (let place = 0; place < source.length; place += 1) {
      const sign = source[place];
      const row = found[found.length - 1];
      const last = row.length - 1;
      if (quoted) {
        if (sign !== '"') row[last] += sign;
        else if (source[place + 1] === '"') { row[last] += '"'; place += 1; } else quoted = false;
      } else if (sign === '"' && row[last] === "" && closes(source, place)) quoted = true;
      else if (sign === "\t") row.push("");
      else if (sign === "\n") found.push([""]);
      else row[last] += sign;
    }
    return found;
  };
  // A quote that opens a cell is closed at the end of one; else it is a sign like others.
  const closes = (source, place) => /^"(?:[^"]|"")*"(?=\t|\n|$)/.test(source.slice(place));
  const format = (block) => block
    .map((row) => row.map((value) => (/[\t\n"]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join("\t"))
    .join("\n") || "\n";  // An empty cell is one line, as spreadsheets have it; no text at all is something else.

  return {
    table, rows, say, tell, text, part, isOpen, choices, header, label, record, opened, isChanged, changed, write, refresh, blame,
    change, undo, redo, forget, announce, parse, format, canUndo: () => done.length > 0, onChange: (listener) => listeners.push(listener),
  };
})();
