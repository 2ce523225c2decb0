// The dialog that shares a project: a link is copied with one press, and selected where that can't be done.
(() => {
  "use strict";
  if (window.workbenchSharing) return;
  window.workbenchSharing = true;

  async function copy(input) {
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
      return true;
    } catch {
      return document.execCommand("copy"); // not a secure context
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const label = button.querySelector("span"), before = label.textContent;
    const done = await copy(button.parentElement.querySelector("[data-url]"));
    label.textContent = done ? "Copied" : "Press Ctrl+C";
    window.persistence?.announce?.(label.textContent);
    setTimeout(() => { label.textContent = before === "Copied" ? "Copy" : before; }, 2000);
  });

  document.addEventListener("focusin", (event) => { if (event.target.matches?.("[data-select]")) event.target.select(); });
})();
