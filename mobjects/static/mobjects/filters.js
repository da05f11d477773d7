// The form that narrows a list: only the comparisons of the chosen field, and an input of its kind. Without this script
// all are offered and the site says what does not fit.
"use strict";
(() => {
  const WITHOUT_VALUE = ["empty", "filled"];
  const INPUTS = { number: "number", day: "date", moment: "date" };

  const fit = (form) => {
    const field = form.elements.add.selectedOptions[0];
    const { type } = field.dataset;
    const operator = form.elements.op;
    for (const option of operator.options) {
      option.hidden = option.disabled = !option.dataset.types.split(" ").includes(type);
    }
    if (operator.selectedOptions[0]?.disabled ?? true) {
      operator.value = [...operator.options].find((option) => !option.disabled).value;
    }
    const value = form.elements.value;
    const needsNone = WITHOUT_VALUE.includes(operator.value);
    value.closest("[data-value]").hidden = value.disabled = needsNone;
    value.required = !needsNone;
    const isPeriod = operator.value === "within";
    value.type = isPeriod ? "text" : (INPUTS[type] ?? "text");
    value.step = "any";
    const lists = { yes_no: "yes_no", choice: `choices-${field.value}`, person: "person" };
    const list = isPeriod ? "periods" : lists[type];
    if (list) {
      value.setAttribute("list", `condition-${list}`);
    } else {
      value.removeAttribute("list");
    }
  };

  const start = () => {
    for (const form of document.querySelectorAll("form[data-conditions]")) {
      form.addEventListener("change", () => fit(form));
      fit(form);
    }
  };
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
