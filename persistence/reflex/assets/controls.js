// Controls that are bound to settings: what is typed becomes an operation (operations.js), and what the server
// says is put in.
//
// - An edit is recorded at the `input` event. It is sent at once on leaving the control, on Enter, and before a press
//   elsewhere, so that it comes before what that press does. Not while a range is dragged.
// - A control shows the server's value whenever it has no edit of its own under way, and what was typed
//   is never replaced by a tidied form of itself while the user is still in the control.
// - An edit is made on what its control showed: somebody else's change that came while one was typing is not passed over.
// - A control is any element with `data-persistence`: an input, a fieldset of radios (kind "choice"), or an element of
//   ours with a `value` of JSON, and `changes` where single keys are edited (kind "keys").
(() => {
  "use strict";
  if (window.persistence.act) return;

  const WIDGET = "-w", { record, drop, schedule, send, hold, release, keyOf, newest, isFailed } = window.persistenceOperations;
  const left = new Map(); // control's key → {value, whileFocused}: the server's value that isn't put in
  const bases = new WeakMap(); // control → the revision of the server's value that it showed last: what an edit is made on
  const failing = new WeakMap(); // control → {id, base}: its edit that wasn't saved, and which it shows; in a conflict with its base
  let composing = null, before = ""; // the control in which an input method makes a word, which is no value yet, and what stood there

  // --- the page's controls ---------------------------------------------------------------------------

  const controls = () => document.querySelectorAll("[data-persistence]");
  const targetOf = (control) => parsed(control.dataset.persistenceTarget, null);
  const isActive = (control) => control.contains(document.activeElement);
  const controlOf = (node) => (node instanceof Element ? node.closest("[data-persistence]") : null);
  const baseOf = (control) => failing.get(control)?.base ?? bases.get(control) ?? revisionOf(control);
  const revisionOf = (control) => Number(control.dataset.persistenceBase) || 0;
  const tell = () => document.dispatchEvent(new CustomEvent("persistence"));

  function parsed(text, otherwise) {
    try { return text ? JSON.parse(text) : otherwise; } catch { return otherwise; }
  }

  // The control's value, or undefined for what isn't one (yet): "-", half a JSON text.
  function valueOf(control) {
    const kind = control.dataset.persistenceKind, text = control.value;
    if (kind === "boolean") return control.checked;
    if (kind === "choice") return parsed(control.querySelector("input:checked")?.value, undefined);
    if (kind === "keys") return control.isDraft ? undefined : control.changes;
    if (kind === "text?" || kind === "text") return kind === "text?" && text === "" ? null : text;
    if (kind === "json") return parsed(text, undefined);
    if (text === "" && kind === "number?" && !control.validity?.badInput) return null;
    const number = text === "" ? NaN : Number(text);
    return Number.isFinite(number) ? number : undefined;
  }

  function put(control, value) {
    failing.delete(control);
    const kind = control.dataset.persistenceKind;
    if (kind === "boolean") {
      if (control.checked !== Boolean(value)) control.checked = Boolean(value);
      return;
    }
    if (kind === "choice") {
      const chosen = JSON.stringify(value);
      for (const each of control.querySelectorAll("input")) if (each.checked !== (each.value === chosen)) each.checked = each.value === chosen;
      return;
    }
    if (kind === "keys") { control.value = JSON.stringify(value); return; } // also where it shows that: what differs starts anew
    const text = kind === "json" ? JSON.stringify(value) : value === null || value === undefined ? "" : String(value);
    if (control.value === text) return;
    const [from, to] = document.activeElement === control && "selectionStart" in control ? [control.selectionStart, control.selectionEnd] : [null, null];
    control.value = text;
    if (from !== null) try { control.setSelectionRange(from, to); } catch { /* not every type has a selection */ }
  }

  // --- from the controls ------------------------------------------------------------------------------

  function heard(control) {
    const target = targetOf(control), field = control.dataset.persistence, value = valueOf(control);
    if (!target || control.disabled) return;
    const key = keyOf(target, field);
    if (value === undefined) {
      left.set(key, { value: control.dataset.persistenceValue, whileFocused: !control.isDraft, isHalf: true });
      tell();
      return;
    }
    const kind = control.dataset.persistenceKind === "keys" ? "keys" : "set";
    left.delete(key);
    goOn(control, record(field, target, baseOf(control), value, "", kind));
    for (const other of controls()) { // a slider and the number beside it
      if (other !== control && kind === "set" && other.dataset.persistence === field && other.dataset.persistenceTarget === control.dataset.persistenceTarget) put(other, value);
    }
    schedule();
  }

  // An edit that goes on from one that wasn't saved stands for it.
  function goOn(control, operation) {
    const failed = failing.get(control);
    if (failed) (operation.continues ||= []).push(failed.id);
  }

  // What the menus and notes of a field do with its control: reset, pin, block; again, discard, release.
  function act(kind, control) {
    const target = control && targetOf(control);
    if (!target) return;
    const field = control.dataset.persistence, key = keyOf(target, field);
    if (kind === "discard") {
      drop(key);
      letGo(key, control);
      if ("isDraft" in control) control.isDraft = false;
      for (const each of controls()) if (each.dataset.persistence === field && each.dataset.persistenceTarget === control.dataset.persistenceTarget) put(each, parsed(each.dataset.persistenceValue, ""));
      tell();
      return;
    }
    if (kind === "release") { letGo(key, control); queueMicrotask(show); return; }
    if (kind === "again") heard(control);
    else goOn(control, record(field, target, baseOf(control), kind === "pin" ? parsed(control.dataset.persistenceValue, null) : null, "", kind));
    left.delete(key);
    send();
  }

  // Several settings are inherited again, as one action: those that a list beside the button names.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-persistence-reset-all]"), list = button?.closest("dialog");
    if (!list) return;
    const edits = [...list.querySelectorAll("[data-persistence-reset]:not([hidden])")].map((each) => ({
      kind: "reset", target: targetOf(each), field: each.dataset.persistenceReset, base: baseOf(each), value: null,
    }));
    for (const { target, field } of edits) left.delete(keyOf(target, field));
    window.persistence.editAll(edits.filter(({ target }) => target));
  });

  // Its user has decided about the edit that wasn't saved.
  function letGo(key, control) {
    left.delete(key);
    for (const each of boundTo({ target: targetOf(control), field: control.dataset.persistence })) {
      failing.delete(each);
      delete each.dataset.persistenceShown; // it shows the server's value anew
    }
  }

  document.addEventListener("input", (event) => {
    const control = controlOf(event.target);
    if (control && !event.isComposing && isPart(control, event.target)) heard(control);
  }, true);
  // An element of ours tells of its edits itself; what its inputs say on the way up is its own affair.
  const isPart = (control, node) => control === node || control.localName === "fieldset";
  document.addEventListener("compositionstart", (event) => { composing = controlOf(event.target); before = event.target.value; }, true);
  document.addEventListener("compositionend", (event) => {
    const control = controlOf(event.target);
    composing = null;
    if (control && event.target.value === before) queueMicrotask(show); // given up
    else if (control && isPart(control, event.target)) heard(control);
  }, true);
  document.addEventListener("change", (event) => { if (controlOf(event.target)) send(); }, true);
  document.addEventListener("focusout", (event) => {
    const control = controlOf(event.target);
    if (!control) return;
    send();
    const target = targetOf(control);
    const key = target && keyOf(target, control.dataset.persistence);
    if (left.get(key)?.whileFocused) { left.delete(key); queueMicrotask(show); }
  }, true);
  document.addEventListener("keydown", (event) => { if (event.key === "Enter") send(); }, true);
  let isDragging = false;
  document.addEventListener("pointerdown", (event) => {
    const control = controlOf(event.target);
    if (control?.type !== "range") { send(); return; }
    isDragging = true;
    hold(keyOf(targetOf(control), control.dataset.persistence));
  }, true);
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => { if (isDragging) { isDragging = false; release(); } }, true);
  }

  // --- from the server ----------------------------------------------------------------------------------

  document.addEventListener("persistence-adopted", ({ detail: operation }) => {
    if (operation.kind !== "set") return;
    for (const control of boundTo(operation)) put(control, operation.value);
  });

  function boundTo({ target, field }) {
    const key = keyOf(target, field);
    return [...controls()].filter((each) => each.dataset.persistence === field && each.dataset.persistenceTarget && keyOf(targetOf(each), field) === key);
  }

  document.addEventListener("persistence-answer", ({ detail: { operation, answer } }) => {
    const key = keyOf(operation.target, operation.field), [control] = boundTo(operation);
    if (newest(key) || !control) return; // the user went on
    if (operation.kind !== "set" && operation.kind !== "keys") { // the control doesn't show it
      if (answer.status === "confirmed") { letGo(key, control); queueMicrotask(show); }
      for (const each of answer.status === "conflict" ? boundTo(operation) : []) if (failing.has(each)) failing.set(each, { id: operation.id, base: operation.base });
      return;
    }
    const shows = control.dataset.persistenceValue;
    if (answer.status === "confirmed") {
      // A tidied form of what was typed waits until the user leaves the control.
      if (isActive(control) && isTidied(operation.value, parsed(shows, ""))) left.set(key, { value: shows, whileFocused: true });
    } else {
      left.set(key, { value: shows, whileFocused: false }); // refused: what was typed stays, beside the reason
      for (const each of boundTo(operation)) failing.set(each, { id: operation.id, base: answer.status === "conflict" ? operation.base : undefined });
    }
  });

  // The same but for spaces and case, as against what somebody else made of it.
  function isTidied(typed, shown) {
    if (typeof typed !== "string") return false;
    const bare = (value) => String(value).replace(/\s+/g, "").toLowerCase();
    return typed !== shown && bare(typed) === bare(shown);
  }

  function show() {
    for (const control of controls()) {
      const target = targetOf(control), text = control.dataset.persistenceValue;
      if (!target || text === undefined || control.getAttribute("aria-busy") === "true") continue; // not loaded: no value yet
      const key = keyOf(target, control.dataset.persistence), leaving = left.get(key);
      const mine = newest(key);
      if (mine?.kind === "set" || mine?.kind === "keys" || control.isDraft || control === composing) continue;
      if (leaving?.isHalf && boundTo({ target, field: control.dataset.persistence }).some(isActive)) continue; // a number that is being typed anew
      if (failing.get(control)?.base !== undefined) continue; // in conflict: until its user has decided
      if (leaving && leaving.value === text && !isForgiven(control, leaving)) continue;
      left.delete(key);
      const isNew = control.dataset.persistenceShown !== text || Boolean(leaving);
      if (isNew || !isActive(control)) put(control, parsed(text, ""));
      control.dataset.persistenceShown = text;
      bases.set(control, revisionOf(control));
    }
  }

  // What was refused stays in its control until its user has decided, or the server takes its complaint back: that alone
  // where this browser keeps the edit no more, since the server lets go of what a browser keeps.
  function isForgiven(control, leaving) {
    const complains = control.dataset.persistenceRefused === "true" || isFailed(failing.get(control)?.id);
    if (complains) leaving.wasInvalid = true;
    return Boolean(leaving.wasInvalid) && !complains;
  }

  // After operations.js, which hears the answers first.
  new MutationObserver(show).observe(document, {
    subtree: true, childList: true, attributes: true,
    attributeFilter: ["data-confirmed", "data-answers", "data-actor", "data-hydrated", "data-persistence-refused", "data-persistence-value", "data-persistence-base", "data-persistence-target"],
  });

  // --- for components that aren't native ------------------------------------------------------------------

  // Records an edit and returns what waits, to be sent with the component's own event. The id's ending tells the
  // server that the component shows the value already, as no button does.
  function edited(tool, field, target, base, value, isShown = true) {
    const at = parsed(target, null);
    if (at && value !== undefined) {
      left.delete(keyOf(at, field));
      record(field, at, Number(base) || 0, value, isShown ? WIDGET : "");
      send();
    }
    return window.persistence.take();
  }

  // What a button turns: the opposite of what stands last, be that an edit that still waits. With `name` it is one key of
  // a dict. Returns what waits, as above.
  function toggled(tool, field, target, base, name, isOn) {
    const at = parsed(target, null);
    if (!at) return window.persistence.take();
    const key = keyOf(at, field), actor = document.getElementById("persistence-root")?.dataset.actor || "";
    const waits = window.persistence.unconfirmed.filter((each) => keyOf(each.target, each.field) === key && each.actor === actor);
    const since = waits.findLastIndex(({ kind }) => kind === "reset" || kind === "block"); // what it was before says nothing
    const last = waits.slice(since + 1).map(({ kind, value }) => saysOn(kind, value, name)).filter((each) => each !== undefined).at(-1);
    const next = !(last ?? isOn);
    if (name === null) return edited(tool, field, target, base, next, false);
    left.delete(key);
    window.persistence.edit("keys", at, field, { set: { [name]: next } }, Number(base) || 0);
    return window.persistence.take();
  }

  function saysOn(kind, value, name) {
    if (kind === "keys") return name in (value.set || {}) ? Boolean(value.set[name]) : (value.remove || []).includes(name) ? false : undefined;
    return kind === "set" ? Boolean(name === null ? value : value?.[name]) : undefined;
  }

  window.persistence.edited = edited;
  window.persistence.toggled = toggled;
  window.persistence.act = act;
  // What isn't a value yet, in controls that keep it: half a JSON text, a row without its number.
  Object.defineProperty(window.persistence, "drafts", { get: () => [...controls()].filter((each) => each.isDraft) });
})();
