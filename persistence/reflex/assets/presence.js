// Tells the server when this tab is hidden and when it is looked at again, and nothing in between.
//
// - While it is hidden the server sends nothing but answers; when it is looked at, what was missed comes at once.
// - An answer that doesn't come when the tab is looked at again means that the connection is dead, though nobody has
//   noticed: after a sleep, say. Then it is closed, and the page connects anew and is filled from the server.
(() => {
  "use strict";
  if (window.persistencePresence) return;

  const PATIENCE = 2000, TOGETHER = 1000; // ms that an answer may take; in which focus and visibility are one
  let number = 0, answered = 0, looked = 0, timer = 0, told = "";
  const root = () => document.getElementById("persistence-presence");
  const page = () => document.getElementById("persistence-root")?.dataset || {};
  const isHidden = () => document.visibilityState === "hidden";
  const isReady = () => page().hydrated === "true";

  function tell(isAgain) {
    if (!root() || !isReady()) return; // it is being filled, and tells then
    number += 1;
    told = page().tab;
    root().click();
    clearTimeout(timer);
    if (!isHidden() && !isAgain) timer = setTimeout(revive, PATIENCE, number);
  }

  function revive(asked) {
    if (isHidden() || answered >= asked || !navigator.onLine) return;
    dispatchEvent(new Event("offline")); // for which the socket's own library closes a connection
    dispatchEvent(new Event("online"));
    tell(true); // waits for the new connection
  }

  // The server takes this tab for something else than it is: it came up hidden, or the server or the connection began
  // anew, which is a tab that is looked at until it says otherwise.
  function check() {
    const at = root();
    if (!at || !isReady()) return;
    const before = answered;
    answered = Number(at.dataset.answered);
    const isOpen = answered >= number || answered < before; // no answer is under way, or none will come
    if ((isOpen && (at.dataset.hidden === "true") !== isHidden()) || (isHidden() && page().tab !== told)) tell();
  }

  function look() {
    if (isHidden() || Date.now() - looked < TOGETHER) return;
    looked = Date.now();
    tell();
  }

  document.addEventListener("visibilitychange", () => { if (isHidden()) { looked = 0; tell(); } else look(); });
  addEventListener("focus", look);
  addEventListener("pageshow", (event) => { if (event.persisted) look(); });
  new MutationObserver(check).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["data-hidden", "data-answered", "data-hydrated", "data-tab"],
  });

  // The names of who is here fold up again by Escape and by a press elsewhere.
  const open = () => document.querySelector("details.persistence-here[open]");
  document.addEventListener("click", (event) => { const found = open(); if (found && !found.contains(event.target)) found.open = false; });
  document.addEventListener("keydown", (event) => {
    const found = event.key === "Escape" && open();
    if (!found) return;
    found.open = false;
    found.querySelector("summary").focus();
  });

  window.persistencePresence = { hidden: isHidden, number: () => number };
})();
