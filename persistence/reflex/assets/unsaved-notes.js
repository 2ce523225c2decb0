// What the page itself says of edits that couldn't be saved: a note at the field with the ways on, and the number on each
// button that opens the drawer (`unsaved.js`).
//
// A panel's row has a place for the note; beside a control of the app's own it stands behind the control. The elements are
// ours, and React knows nothing of them: a place that it made holds no child of its.
(() => {
  "use strict";
  if (window.persistenceNotes) return;

  const WAITS = { reset: "It inherits again", pin: "It is pinned", block: "It is blocked" }; // what a control can't show by itself
  const SHORT = 60; // characters of a value that one types again rather than being asked about
  const { h, icon, titleOf, whyOf, personOf, ago, valueOf, isConflict, isSecret } = window.persistenceWords;
  const unsaved = window.persistenceUnsaved;
  const notes = new Map(); // place → {node, mark}: what is drawn where
  let isAsked = false;

  // --- at the fields ------------------------------------------------------------------------------------------

  function parsed(text) {
    try { return text ? JSON.parse(text) : null; } catch { return null; }
  }
  const keyOf = (target, field) => JSON.stringify([target, field]);

  // The newest entry of each field that the page has a control of, by the place where it is told; offline also what waits
  // and can't be seen.
  function wanted() {
    const newest = new Map(), waiting = window.persistence.isOffline ? window.persistence.waiting : [];
    for (const operation of waiting) if (WAITS[operation.kind] && operation.actor === unsaved.actor()) newest.set(keyOf(operation.target, operation.field), { operation });
    for (const entry of [...unsaved.entries].reverse()) newest.set(keyOf(entry.operation.target, entry.operation.field), entry);
    const places = new Map();
    if (!newest.size) return places;
    for (const control of document.querySelectorAll("[data-persistence]")) {
      const target = parsed(control.dataset.persistenceTarget);
      const entry = target && newest.get(keyOf(target, control.dataset.persistence));
      if (!entry || control.closest("[hidden]")) continue;
      const place = control.closest("[data-persistence-field]")?.querySelector("[data-persistence-slot]") || control.closest(".rt-TextFieldRoot, .rt-TextAreaRoot, label") || control;
      if (places.has(place)) places.get(place).controls.push(control); else places.set(place, { entry, controls: [control] });
    }
    return places;
  }

  function showsMine(control, value) {
    if (control.type === "checkbox") return control.checked === value;
    if (typeof value === "string" || typeof value === "number") return control.value === String(value);
    return JSON.stringify(parsed(control.value)) === JSON.stringify(value);
  }

  const isInSight = ({ entry, controls }) => (["reset", "block"].includes(entry.operation.kind) ? !isConflict(entry)
    : isSecret(entry) || controls.some((each) => showsMine(each, entry.operation.value))); // a slider shows what it can

  function note({ entry, controls }, isShown) {
    const { operation, answer } = entry, { id } = operation;
    if (!answer) return h("p", { class: "persistence-note persistence-note-plain", "data-unsaved": id }, icon("clock"), h("span", {}, `${WAITS[operation.kind]} as soon as there is a connection.`));
    const name = titleOf(entry);
    const button = (label, does) => {
      const made = h("button", { type: "button", class: "persistence-button", "aria-label": `${label}: ${name}` }, label);
      made.addEventListener("click", () => does(made));
      return made;
    };
    const act = (what) => () => { unsaved.actOnNewest(what, id); controls.at(-1).focus?.(); };
    const mine = !isShown && h("span", { class: "persistence-mine" }, "Yours: ", h("q", {}, cut(valueOf(entry, operation.value))));
    if (isConflict(entry)) return h("div", { class: "persistence-note persistence-note-warn persistence-note-conflict", "data-unsaved": id }, icon("people"),
      h("span", {}, `${personOf(entry, answer.theirs.by)} changed this ${ago(answer.theirs.at)}. Yours isn’t saved. `, mine),
      h("span", { class: "persistence-note-actions" }, button("Compare", () => unsaved.show(id)), button("Keep mine", act("keep")), button("Take theirs", act("take"))));
    return h("div", { class: "persistence-note persistence-note-bad", "data-unsaved": id }, icon("alert"),
      h("span", {}, `Not saved: ${answer.about?.gone ? whyOf(entry) : answer.problem} `, mine),
      h("span", { class: "persistence-note-actions" }, button("Try again", act("again")), button("Discard", (made) => discard(made, entry, act("discard"))), button("Details", () => unsaved.show(id))));
  }

  // What is long to type again is asked about.
  function discard(button, entry, does) {
    const text = isSecret(entry) ? "" : valueOf(entry, entry.operation.value);
    if (text.length <= SHORT || button.dataset.asks) return does();
    button.dataset.asks = "true";
    button.textContent = "Really discard";
    button.setAttribute("aria-label", `Really discard: ${titleOf(entry)}`);
    return undefined;
  }
  const cut = (text) => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

  function place(at, node) {
    if (at.hasAttribute("data-persistence-slot")) at.replaceChildren(node); else at.after(node);
  }

  function look() {
    isAsked = false;
    const places = wanted();
    for (const [at, { node }] of notes) if (!places.has(at) || !at.isConnected) { node.remove(); notes.delete(at); }
    const edited = new Set(places.size ? window.persistence.unconfirmed.map(({ target, field }) => keyOf(target, field)) : []);
    for (const [at, found] of places) {
      const { operation, answer } = found.entry, before = notes.get(at);
      const isShown = !answer || (before && edited.has(keyOf(operation.target, operation.field)) ? before.isShown : isInSight(found)); // steady while one types on
      const mark = JSON.stringify([operation.id, answer?.problem, answer?.about?.people, isShown]);
      if (before?.mark === mark && before.node.isConnected) continue;
      before?.node.remove();
      const node = note(found, isShown);
      place(at, node);
      notes.set(at, { node, mark, isShown });
    }
    count();
  }

  // --- the buttons -----------------------------------------------------------------------------------------------

  function count() {
    const number = unsaved.entries.length + (unsaved.unreadable.length ? 1 : 0), trouble = window.persistence.trouble;
    const words = number ? `Not saved: ${number}` : trouble ? "This browser can’t keep what isn’t saved" : "Nothing is unsaved";
    for (const button of document.querySelectorAll("[data-persistence-unsaved-button]")) {
      const said = number ? (number > 99 ? "99+" : String(number)) : trouble ? "!" : "";
      if (button.dataset.count === said && button.title === words) continue;
      button.dataset.count = said;
      button.title = words;
      button.setAttribute("aria-label", words);
      button.querySelector("[data-part=count]").textContent = said;
    }
  }

  function soon() {
    if (isAsked) return;
    isAsked = true;
    queueMicrotask(look);
  }
  document.addEventListener("persistence-unsaved", soon);
  document.addEventListener("persistence", soon);
  new MutationObserver((changes) => {
    if (changes.every(({ target }) => target.closest?.("[data-unsaved], #persistence-unsaved"))) return; // our own
    soon();
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-persistence-target", "data-persistence-value", "hidden"] });
  setInterval(() => { // times pass
    for (const [, { node }] of notes) if (node.isConnected && node.matches(".persistence-note-conflict") && !node.contains(document.activeElement)) node.dataset.old = "";
    if (document.visibilityState === "visible") { for (const [at, each] of notes) if ("old" in each.node.dataset) { each.node.remove(); notes.delete(at); } soon(); }
  }, 60000);
  window.persistenceNotes = { look };
})();
