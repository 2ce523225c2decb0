// Dialogs that the server opens: while `data-persistence-open` says a number the dialog is shown, and when a person
// closes it (Escape, Cancel, beside it) the server hears of it by the hidden button within. Files for an import.
(() => {
  "use strict";
  if (window.persistence.transfers) return;
  window.persistence.transfers = true;

  const LARGEST = 700_000; // bytes; a frame of a megabyte would close the socket

  function follow(dialog) {
    const number = dialog.dataset.persistenceOpen;
    if (number === dialog.dataset.persistenceShown) return;
    dialog.dataset.persistenceShown = number;
    if (!number) return dialog.close();
    if (!dialog.open) dialog.showModal();
    requestAnimationFrame(() => {
      for (const all of dialog.querySelectorAll("[data-persistence-all]")) sync(all.closest("fieldset"));
      const first = dialog.querySelector("[data-persistence-first]:not(:disabled)") || dialog.querySelector("[data-persistence-close]");
      first?.focus();
    });
  }

  // "3|Done": the number makes each one new.
  function hearDone(node) {
    const done = node.dataset.persistenceDone;
    if (done === node.dataset.persistenceHeard) return;
    node.dataset.persistenceHeard = done;
    if (done) window.persistence.announce?.(done.slice(done.indexOf("|") + 1));
  }

  document.addEventListener("close", (event) => {
    const dialog = event.target;
    if (!dialog.matches?.("dialog[data-persistence-open]") || !dialog.dataset.persistenceOpen) return;
    dialog.querySelector("[data-persistence-closed]")?.click();
  }, true);

  function look() {
    for (const dialog of document.querySelectorAll("dialog[data-persistence-open]")) follow(dialog);
    for (const node of document.querySelectorAll("[data-persistence-done]")) hearDone(node);
  }
  new MutationObserver(look).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["data-persistence-open", "data-persistence-done"],
  });

  // --- the import's text ----------------------------------------------------------------------------------------

  const sizeOf = (text) => new TextEncoder().encode(text).length;

  function complain(form, words) {
    const note = form.querySelector("[data-persistence-problem]");
    if (note) { note.textContent = words; note.hidden = !words; }
  }

  document.addEventListener("change", async (event) => {
    const input = event.target;
    if (!input.matches?.("[data-persistence-file]") || !input.files.length) return;
    const form = input.form, file = input.files[0];
    if (file.size > LARGEST) return complain(form, tooLarge(file.size));
    try {
      const text = form.querySelector("textarea");
      text.value = await file.text();
      text.dispatchEvent(new Event("input", { bubbles: true }));
      complain(form, "");
      text.focus();
    } catch { complain(form, "This file can't be read."); }
  });

  document.addEventListener("submit", (event) => {
    const text = event.target.querySelector?.("[data-persistence-document]");
    if (!text) return;
    const size = sizeOf(text.value);
    if (size <= LARGEST) return complain(event.target, "");
    event.preventDefault();
    event.stopImmediatePropagation();
    complain(event.target, tooLarge(size));
  }, true);

  const tooLarge = (size) => `This has ${size.toLocaleString()} bytes, and a page can take ${LARGEST.toLocaleString()}. The command line takes larger ones: python -m persistence import.`;

  // All or none of a list of boxes.
  document.addEventListener("change", (event) => {
    const all = event.target;
    if (!all.matches?.("[data-persistence-all]")) return;
    for (const box of all.closest("fieldset").querySelectorAll("input[type=checkbox]:not([data-persistence-all])")) box.checked = all.checked;
  });
  document.addEventListener("change", (event) => {
    const list = event.target.closest?.("fieldset:has([data-persistence-all])");
    if (list) sync(list);
  });

  function sync(list) {
    const boxes = [...list.querySelectorAll("input[type=checkbox]:not([data-persistence-all])")], all = list.querySelector("[data-persistence-all]");
    const checked = boxes.filter((each) => each.checked).length;
    all.checked = boxes.length > 0 && checked === boxes.length;
    all.indeterminate = checked > 0 && checked < boxes.length;
  }
})();
