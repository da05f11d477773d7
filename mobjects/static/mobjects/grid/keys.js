// The keyboard, the mouse and the clipboard in a grid, as in a spreadsheet.
"use strict";
(() => {
  const grid = window.moGrid;
  if (!grid.table) return;
  const { table, rows } = grid;
  let current = rows[0].cells[0];
  let anchor = current;
  let editor = null;
  let leaving = false;

  const at = (row, column) => rows[row]?.cells[column];
  const rowOf = (cell) => rows.indexOf(cell.parentNode);

  const selected = () => {
    const [top, bottom] = [rowOf(anchor), rowOf(current)].sort((one, other) => one - other);
    const [left, right] = [anchor.cellIndex, current.cellIndex].sort((one, other) => one - other);
    return rows.slice(top, bottom + 1).map((row) => [...row.cells].slice(left, right + 1));
  };
  const mark = () => {
    for (const cell of table.querySelectorAll("[aria-selected=true]")) cell.removeAttribute("aria-selected");
    for (const cell of selected().flat()) cell.setAttribute("aria-selected", "true");
  };
  const go = (cell, extend = false) => {
    if (!cell) return;
    current.tabIndex = -1;
    current = cell;
    if (!extend) anchor = cell;
    cell.tabIndex = 0;
    cell.focus();
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    mark();
  };
  const move = (down, right, extend = false) => go(at(rowOf(current) + down, current.cellIndex + right), extend);

  // The cell that Tab comes to; none at the ends of the grid.
  const following = (back) => {
    const width = rows[0].cells.length;
    const place = rowOf(current) * width + current.cellIndex + (back ? -1 : 1);
    return at(Math.floor(place / width), place % width);
  };

  const input = (cell, first) => {
    const choices = grid.choices(cell);
    const made = document.createElement(choices.length ? "select" : grid.text(cell).includes("\n") ? "textarea" : "input");
    made.className = "mo-cell-input";
    made.setAttribute("aria-label", grid.say("question", { label: grid.label(cell), record: grid.record(cell) }));
    if (choices.length) {
      const held = grid.text(cell);
      for (const value of new Set(["", ...choices, held])) made.add(new Option(value || grid.say("empty"), value));
      made.value = choices.find((value) => first && value.toLowerCase().startsWith(first.toLowerCase())) ?? held;
    } else {
      if (grid.header(cell).dataset.list) made.setAttribute("list", grid.header(cell).dataset.list);
      made.value = first ?? grid.text(cell);
    }
    return made;
  };
  const edit = (first) => {
    const cell = current;
    if (!grid.isOpen(cell)) {
      const link = cell.querySelector("a");
      if (link && first === undefined) window.open(link.href, "_blank", "noopener");
      else grid.tell(grid.say("read-only"));
      return;
    }
    editor = input(cell, first);
    grid.part(cell).hidden = true;
    cell.prepend(editor);
    editor.focus();
    if (first === undefined && editor.select) editor.select();
    editor.addEventListener("blur", () => close(true));
  };
  const close = (keep) => {
    if (!editor) return;
    const [made, cell] = [editor, editor.closest("td")];
    editor = null;
    const value = made.value;
    made.remove();
    grid.part(cell).hidden = false;
    if (keep) grid.change([[cell, value]]);
  };

  const editing = (event) => {
    const { key } = event;
    if (key === "Escape" || key === "Tab" || (key === "Enter" && !event.altKey)) {
      event.preventDefault();
      close(key !== "Escape");
      if (key === "Enter") go(at(rowOf(current) + (event.shiftKey ? -1 : 1), current.cellIndex) ?? current);
      else if (key === "Tab") go(following(event.shiftKey) ?? current);
      else go(current);
    }
  };
  const ARROWS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [10, 0], PageUp: [-10, 0] };
  const page = (key, event) => {
    const [down, right] = ARROWS[key];
    const row = Math.min(Math.max(rowOf(current) + down, 0), rows.length - 1);
    go(at(row, current.cellIndex + right) ?? current, event.shiftKey);
  };
  const ends = (key, event) => {
    const row = event.ctrlKey || event.metaKey ? (key === "Home" ? 0 : rows.length - 1) : rowOf(current);
    go(at(row, key === "Home" ? 0 : rows[0].cells.length - 1), event.shiftKey);
  };
  const empty = () => grid.change(selected().flat().map((cell) => [cell, ""]));
  const command = (key, event) => {
    if (key === "z" && !event.shiftKey) go(grid.undo() ?? current);
    else if (key === "y" || key === "z") go(grid.redo() ?? current);
    else if (key === "a") { go(at(rows.length - 1, rows[0].cells.length - 1)); anchor = at(0, 0); mark(); } else return false;
    return true;
  };
  const walking = (event) => {
    const { key } = event;
    const wasLeaving = leaving;
    leaving = false;
    if ((event.ctrlKey || event.metaKey) && command(key.toLowerCase(), event)) return event.preventDefault();
    if (key === "Tab") {
      const next = wasLeaving ? undefined : following(event.shiftKey);
      if (!next) return undefined;  // The browser goes on behind the grid, or before it.
      go(next);
    } else if (key in ARROWS) page(key, event);
    else if (key === "Home" || key === "End") ends(key, event);
    else if (key === "Enter" || key === "F2") edit();
    else if (key === "Delete" || key === "Backspace") empty();
    else if (key === "Escape") { leaving = true; anchor = current; mark(); grid.tell(grid.say("leave")); }
    else if (key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) edit(key);
    else { leaving = wasLeaving && key === "Shift"; return undefined; }
    return event.preventDefault();
  };
  table.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (editor) editing(event);
    else if (event.target.closest("[role=gridcell], [role=rowheader]")) walking(event);
  });
  // Korean and others put their signs together in an input; it has to be there before the first of them.
  table.addEventListener("compositionstart", () => { if (!editor) edit(""); });

  table.addEventListener("mousedown", (event) => {
    const cell = event.target.closest("[role=gridcell], [role=rowheader]");
    if (!cell || event.target.closest("a, .mo-cell-input")) return;
    const again = cell === current && document.activeElement === cell && !event.shiftKey;
    event.preventDefault();
    close(true);
    go(cell, event.shiftKey);
    if (again) edit();
  });
  table.addEventListener("focusin", ({ target }) => {
    if (!editor && target !== current && target.matches("[role=gridcell], [role=rowheader]")) go(target);
  });

  const inGrid = () => !editor && table.contains(document.activeElement);
  const copy = (event) => {
    if (!inGrid()) return;
    event.clipboardData.setData("text/plain", grid.format(selected().map((row) => row.map(grid.text))));
    event.preventDefault();
    if (event.type === "cut") empty();
  };
  document.addEventListener("copy", copy);
  document.addEventListener("cut", copy);
  document.addEventListener("paste", (event) => {
    if (!inGrid()) return;
    event.preventDefault();
    const given = event.clipboardData.getData("text/plain");
    if (!given) return;  // An image, or a file.
    const block = grid.parse(given);
    const into = selected();
    const single = block.length === 1 && block[0].length === 1;
    const [row, column] = [rowOf(into[0][0]), into[0][0].cellIndex];
    const pairs = single
      ? into.flat().map((cell) => [cell, block[0][0]])
      : block.flatMap((texts, down) => texts.map((value, right) => [at(row + down, column + right), value]));
    const open = pairs.filter(([cell]) => cell && grid.isOpen(cell));
    grid.change(open);
    grid.tell(grid.say("pasted", { cells: open.length, left: pairs.length - open.length }));
  });
  document.getElementById("mo-grid-undo").addEventListener("click", () => go(grid.undo() ?? current));
  grid.finish = () => close(true);
  // Who went into a cell before this ran is in that cell, not in the first one.
  if (table.contains(document.activeElement)) go(document.activeElement.closest("[role=gridcell], [role=rowheader]"));
})();
