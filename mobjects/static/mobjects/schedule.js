// A schedule's form: fields that say nothing for the chosen kind of times are out of the way (data-shown-for names the
// choices that a field belongs to), and the next runs are asked for once when the page opens.
"use strict";
window.addEventListener("load", () => {
  const choices = document.querySelectorAll("input[name=repeats]");
  if (!choices.length) {
    return;
  }
  const show = () => {
    const chosen = [...choices].find((choice) => choice.checked)?.value ?? "cron";
    for (const field of document.querySelectorAll("[data-shown-for]")) {
      const row = field.closest(".field-line, .form-row") ?? field.parentElement;
      row.hidden = !field.dataset.shownFor.split(" ").includes(chosen);
    }
  };
  for (const choice of choices) {
    choice.addEventListener("change", show);
  }
  show();
  window.htmx?.trigger("#schedule-next-runs", "schedule-shown");
});
