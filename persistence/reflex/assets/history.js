// The history panel and undo: when to read, the keys, and the line that tells what was undone.
(() => {
  "use strict";
  if (window.persistence.history) return;
  window.persistence.history = true;

  const TOLD = "persistence-said", SHOWN = 6000, EDITS_FIRST = 4000; // ms that a line stays, longer while it is pointed at; that undo waits for edits at the most
  const root = () => document.getElementById("persistence-root");

  // --- reading: when the page shows other owners, when somebody else is there, and when the server has forgotten -------

  function look() {
    if (root()?.dataset.hydrated !== "true") return;
    const { actor, tab } = root().dataset;
    for (const panel of document.querySelectorAll("[data-persistence-history]")) {
      const shown = panel.dataset.persistenceHistory, reading = tab + location.pathname + shown;
      if (shown && panel.dataset.read !== reading) {
        panel.dataset.read = reading;
        panel.querySelector("[data-persistence-open-history]")?.click();
      }
    }
    for (const button of document.querySelectorAll("[data-persistence-watch]")) {
      if (actor && button.dataset.watches !== tab) {
        button.dataset.watches = tab;
        button.click();
      }
    }
    for (const line of document.querySelectorAll("[data-persistence-said]")) tell(line);
  }
  new MutationObserver(look).observe(document, {
    subtree: true, childList: true, attributes: true,
    attributeFilter: ["data-hydrated", "data-actor", "data-tab", "data-persistence-history", "data-persistence-said"],
  });

  // --- what was undone: "c0ffee12|Undid: Frames in Dusk", each once --------------------------------------------

  let hiding = 0;
  function tell(line) {
    const said = line.dataset.persistenceSaid;
    if (said === line.dataset.heard) return;
    line.dataset.heard = said;
    if (!said || said === sessionStorage.getItem(TOLD)) return; // by this tab, on the page before
    sessionStorage.setItem(TOLD, said);
    show(line, said.slice(said.indexOf("|") + 1));
  }

  function show(line, words) {
    line.textContent = words;
    if (!line.matches(":popover-open")) line.showPopover(); // above all: a header may clip what is within
    setTimeout(() => window.persistence.announce?.(words), 50); // after what a dialog says that closes
    clearTimeout(hiding);
    const hide = () => {
      if (line.matches(":hover")) hiding = setTimeout(hide, 1000);
      else if (line.matches(":popover-open")) line.hidePopover();
    };
    hiding = setTimeout(hide, SHOWN);
  }

  // --- keys ---------------------------------------------------------------------------------------------------

  const TEXTS = "textarea, [contenteditable]:not([contenteditable=false]), input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit], [type=reset], [type=color], [type=file])";

  function verbOf(event) {
    const isMac = /Mac|iPhone|iPad/.test(navigator.platform), held = isMac ? event.metaKey : event.ctrlKey;
    if (!held || event.altKey || (isMac ? event.ctrlKey : event.metaKey)) return "";
    const key = event.key.toLowerCase();
    if (key === "z") return event.shiftKey ? "redo" : "undo";
    return key === "y" && !event.shiftKey && !isMac ? "redo" : "";
  }

  document.addEventListener("keydown", (event) => {
    const verb = verbOf(event);
    if (!verb || event.defaultPrevented || event.isComposing) return;
    const at = event.composedPath()[0];
    if (at instanceof Element && (at.closest(TEXTS) || at.isContentEditable)) return; // the browser's own
    if (document.querySelector("dialog[open]")) return;
    const buttons = [...document.querySelectorAll(`[data-persistence-key=${verb}]`)];
    if (!buttons.length) return;
    event.preventDefault();
    if (event.repeat) return;
    buttons.find((each) => !each.disabled)?.click();
  });

  // What was edited last is what is undone: it goes first, where it is still on its way.
  let isGoing = false, isWaiting = false;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-persistence-key]");
    if (!button || isGoing || window.persistence.isOffline) return;
    const first = new Set(window.persistenceOperations.unsent), isOnItsWay = () => !window.persistenceOperations.unsent.some((id) => first.has(id));
    if (!first.size && !isWaiting) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (isWaiting) return;
    isWaiting = true;
    window.persistenceOperations.send();
    for (const until = Date.now() + EDITS_FIRST; !isOnItsWay() && Date.now() < until; ) await new Promise((done) => { setTimeout(done, 10); });
    isWaiting = false;
    if (!isOnItsWay()) {
      const line = button.parentElement.querySelector("[data-persistence-said]");
      if (line) show(line, "Not undone: what was edited last isn’t on its way yet. Try again.");
      return;
    }
    isGoing = true;
    button.click();
    isGoing = false;
  }, true);
})();
