// What ipywidgets leave out: names for sliders, meanings of labels, notes tied to their boxes, arrow keys in boxes, a copy
// button, a limit to the size of a file, a link that opens the glossary, and a notice when the server has ended.
"use strict";
(() => {
  const MOST = 262144; // bytes; simtrial.trial.params.MAX_BYTES, repeated here because a file far larger would break the connection

  function name(slider) { // its label is that of the number beside it, and hidden
    const label = slider.querySelector(".widget-label");
    for (const handle of slider.querySelectorAll(".noUi-handle")) handle.setAttribute("aria-label", label.textContent);
  }
  function explained(control) { // by the glossary of the page, where a pointer rests on the control
    const label = control.querySelector(".widget-label, label")?.textContent.trim() ?? "";
    for (const term of document.querySelectorAll(".simtrial-glossary dt")) {
      const head = term.textContent;
      if (label === head || label.startsWith(`${head}: `) || label.endsWith(` ${head}`)) control.title = term.nextElementSibling.textContent;
    }
  }
  function tied(row) { // a box says that it is refused, and why
    const box = row.querySelector("input");
    const note = row.querySelector("[id^=note-]");
    box.inputMode = "decimal";
    box.autocomplete = "off";
    box.spellcheck = false;
    box.setAttribute("aria-invalid", String(row.classList.contains("simtrial-refused")));
    if (note) box.setAttribute("aria-describedby", note.id); else box.removeAttribute("aria-describedby");
  }
  document.addEventListener("keydown", (event) => { // up and down in a box move its slider by a step
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    const row = event.target.matches("input") && event.target.closest(".simtrial-number:not(.simtrial-refused)");
    const handle = row && !event.target.disabled && row.querySelector(".noUi-handle");
    if (!handle) return;
    event.preventDefault();
    handle.dispatchEvent(new KeyboardEvent("keydown", { key: event.key }));
  }, true); // the widget lets no key pass beyond its box
  function uncounted(button) { // a count of files says nothing where one is opened at a time
    for (const node of button.childNodes) {
      const said = node.textContent.replace(/ \(\d+\)$/, "");
      if (node.nodeType === Node.TEXT_NODE && said !== node.textContent) node.textContent = said;
    }
  }
  function rounded(handle) { // or a reader of screens says 0.30000000000000004
    const said = String(Number(Number(handle.getAttribute("aria-valuetext")).toFixed(6)));
    for (const kind of ["aria-valuetext", "aria-valuenow"]) {
      if (handle.getAttribute(kind) !== said) handle.setAttribute(kind, said);
    }
  }
  new MutationObserver((changes) => changes.forEach((change) => rounded(change.target))).observe(
    document.getElementById("rendered_cells"), { subtree: true, attributeFilter: ["aria-valuetext"] });
  new MutationObserver(() => {
    document.querySelectorAll(".noUi-handle[aria-valuetext]").forEach(rounded);
    document.querySelectorAll(".widget-slider").forEach(name);
    document.querySelectorAll(".simtrial-number").forEach(tied);
    document.querySelectorAll(".widget-upload").forEach(uncounted);
    document.querySelectorAll(".simtrial-controls :is(.simtrial-number, .widget-dropdown, .widget-checkbox):not([title])").forEach(explained);
  }).observe(document.getElementById("rendered_cells"), { childList: true, subtree: true });

  function copied(button, said) {
    button.textContent = said;
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const text = [...document.getElementById(button.dataset.copy).querySelectorAll("p")].map((p) => p.textContent).join("\n\n");
    try {
      await navigator.clipboard.writeText(text);
      copied(button, "Copied");
    } catch {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById(button.dataset.copy));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      copied(button, "Selected");
    }
  });

  document.addEventListener("click", (event) => { // a link to what is folded opens it
    const link = event.target.closest("a[href='#simtrial-glossary']");
    const folded = link && document.querySelector(".simtrial-glossary details");
    if (!folded) return;
    event.preventDefault();
    folded.open = true;
    folded.scrollIntoView();
    folded.querySelector("summary").focus();
  });

  function notice(said) {
    let box = document.getElementById("simtrial-gone");
    if (!box) {
      box = document.createElement("p");
      box.id = "simtrial-gone";
      box.setAttribute("role", "alert");
      document.querySelector(".simtrial-head").after(box);
    }
    box.textContent = said;
  }
  function limited(event) {
    const file = event.target.files[0];
    if (!file || file.size <= MOST) return;
    event.stopImmediatePropagation();
    event.target.value = "";
    const said = document.createElement("p"); // where a wrong file is reported too, until a control is moved
    said.className = "wrong";
    said.setAttribute("role", "alert");
    said.textContent = `${file.name}: is larger than ${MOST} bytes`;
    document.querySelector(".simtrial-status div[role]").replaceChildren(said);
  }
  // the widget's input for files stands in no document, so it is met when it is clicked
  const click = HTMLInputElement.prototype.click;
  HTMLInputElement.prototype.click = function () {
    if (this.type === "file") this.addEventListener("change", limited, true);
    click.call(this);
  };

  const kernel = JSON.parse(document.getElementById("jupyter-config-data").textContent).kernelId;
  let gone = false;
  setInterval(async () => {
    try {
      const answer = await fetch(`/api/kernels/${kernel}`, { cache: "no-store" });
      if (gone) location.reload();
      else if (answer.status === 404) notice("The calculations of this page have ended, because it was not connected for some time. Download your entries if you need them, then reload this page.");
    } catch {
      gone = true;
      notice("The explorer has stopped: run simtrial explore again, then open the address that it prints.");
    }
  }, 5000);
})();
