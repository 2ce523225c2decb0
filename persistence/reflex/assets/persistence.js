// What a page does with the edits of its bound controls. No build step, no dependencies.
//
// - Each edit becomes an operation at the `input` event, with the target and the revision that the control
//   showed at that moment. Operations of one field fold until they are sent.
// - It is sent after 100 ms of quiet and at least every 500 ms; at once on leaving the control, on Enter, and
//   before a press elsewhere, so that it comes before what that press does. Not while a range is dragged.
// - The fast way is Reflex's socket, by a hidden button whose handler takes what waits. The sure way is
//   POST, for what isn't confirmed after 2 s and when the page goes. Ids make doing both harmless.
// - An operation is kept until the server says that it is durable, or refuses it; before it leaves it is in the
//   browser's outbox (outbox.js), so that it outlives the page. What other pages of this user left there is sent, too.
// - A control shows the server's value whenever it has no edit of its own under way, and what was typed
//   is never replaced by a tidied form of itself while the user is still in the control.
// - A control is any element with `data-persistence`: an input, a fieldset of radios (kind "choice"), or an element of
//   ours with a `value` of JSON, and `changes` where single keys are edited (kind "keys").
(() => {
  "use strict";
  if (window.persistence) return;

  const QUIET = 100, AT_LEAST = 500, UNCONFIRMED = 2000, LONGEST_RETRY = 15000, KEEPALIVE = 60000, BATCH = 50, WIDGET = "-w", LARGE = 100000, LOOK = 10000;
  const outbox = window.persistenceOutbox, client = newClient();
  const kept = new Map(); // id → operation that isn't confirmed
  const newest = new Map(); // control's key → its newest unconfirmed operation
  const left = new Map(); // control's key → {value, whileFocused}: the server's value that isn't put in
  let seq = 0, quiet = 0, latest = 0, dragging = null, retryAt = 0, retryWait = UNCONFIRMED, posting = false, isWanted = false;

  // --- operations -------------------------------------------------------------------------------------------

  function keep(operation) {
    kept.set(operation.id, operation);
    newest.set(keyOf(operation.target, operation.field), operation);
    outbox.keep(operation);
    tell();
  }

  function forget(id) {
    const operation = kept.get(id);
    if (!operation) return null;
    kept.delete(id);
    outbox.drop(id);
    const key = keyOf(operation.target, operation.field);
    if (newest.get(key) === operation) {
      const older = [...kept.values()].filter((each) => keyOf(each.target, each.field) === key);
      if (older.length) newest.set(key, older.at(-1)); else newest.delete(key);
    }
    tell();
    return operation;
  }

  // The newest edit of a field stands for the older ones, but single keys don't stand for one another.
  const standing = () => [...kept.values()].filter((each) => each.kind === "keys" || newest.get(keyOf(each.target, each.field)) === each);

  // Whoever shows what isn't saved yet looks again.
  const tell = () => document.dispatchEvent(new CustomEvent("persistence"));
  const waiting = () => [...kept.values()].filter((each) => !each.sentAt && each.isKept);

  function record(field, target, base, value, ending = "", kind = "set") {
    const key = keyOf(target, field), last = newest.get(key);
    left.delete(key);
    touched.add(key);
    if (last && !last.sentAt && last.kind === kind && last.id.endsWith(ending)) {
      last.value = value;
      outbox.keep(last);
      return last;
    }
    const operation = { id: idOf(++seq) + ending, client, seq, target, field, kind, value, base, sentAt: 0 };
    operation.actor = root()?.dataset.actor || "";
    operation.madeAt = Date.now();
    keep(operation);
    return operation;
  }

  // Ids grow with time, so that the server's index of them stays dense, and with the client's own count, so that an
  // edit that comes late is known from a new one.
  const idOf = (number) => client + "." + number.toString(16).padStart(8, "0");
  function newClient() {
    const random = crypto.getRandomValues(new Uint8Array(8));
    const tail = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return Date.now().toString(16).padStart(12, "0") + "-" + tail;
  }

  const keyOf = (target, field) => JSON.stringify([target, field]);
  const wire = ({ id, client, seq, target, field, kind, value, base, actor }) => ({ id, client, seq, target, field, kind, value, base, actor });

  // --- the page's parts ------------------------------------------------------------------------------

  const root = () => document.getElementById("persistence-root");
  const controls = () => document.querySelectorAll("[data-persistence]");
  const targetOf = (control) => parsed(control.dataset.persistenceTarget, null);
  const isActive = (control) => control.contains(document.activeElement);
  const controlOf = (node) => (node instanceof Element ? node.closest("[data-persistence]") : null);

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
    if (value === undefined) {
      left.set(keyOf(target, field), { value: control.dataset.persistenceValue, whileFocused: !control.isDraft });
      tell();
      return;
    }
    const kind = control.dataset.persistenceKind === "keys" ? "keys" : "set";
    record(field, target, baseOf(control), value, "", kind);
    for (const other of controls()) { // a slider and the number beside it
      if (other !== control && kind === "set" && other.dataset.persistence === field && other.dataset.persistenceTarget === control.dataset.persistenceTarget) put(other, value);
    }
    schedule();
  }

  const baseOf = (control) => Number(control.dataset.persistenceBase) || 0;

  // What the menus and notes of a field do with its control: reset, pin, block; again, discard.
  function act(kind, control) {
    const target = control && targetOf(control);
    if (!target) return;
    const field = control.dataset.persistence, key = keyOf(target, field);
    if (kind === "discard") {
      for (const each of [...kept.values()]) if (!each.sentAt && keyOf(each.target, each.field) === key) forget(each.id);
      left.delete(key);
      if ("isDraft" in control) control.isDraft = false;
      for (const each of controls()) if (each.dataset.persistence === field && each.dataset.persistenceTarget === control.dataset.persistenceTarget) put(each, parsed(each.dataset.persistenceValue, ""));
      tell();
      return;
    }
    if (kind === "again") heard(control);
    else record(field, target, baseOf(control), kind === "pin" ? parsed(control.dataset.persistenceValue, null) : null, "", kind);
    left.delete(key);
    send();
  }

  document.addEventListener("input", (event) => {
    const control = controlOf(event.target);
    if (control && !event.isComposing && isPart(control, event.target)) heard(control);
  }, true);
  // An element of ours tells of its edits itself; what its inputs say on the way up is its own affair.
  const isPart = (control, node) => control === node || control.localName === "fieldset";
  document.addEventListener("compositionend", (event) => {
    const control = controlOf(event.target);
    if (control && isPart(control, event.target)) heard(control);
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
  document.addEventListener("pointerdown", (event) => {
    const control = controlOf(event.target);
    if (control?.type === "range") dragging = control; else send();
  }, true);
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => { if (dragging) { dragging = null; send(); } }, true);
  }

  // --- to the server ----------------------------------------------------------------------------------

  function schedule() {
    const now = Date.now();
    if (!latest) latest = now + AT_LEAST;
    clearTimeout(quiet);
    quiet = setTimeout(send, Math.max(0, Math.min(QUIET, latest - now)));
  }

  function send() {
    if (dragging) return;
    isWanted = [...kept.values()].some((each) => !each.sentAt && !each.isKept); // then as soon as they are
    if (!waiting().length) return;
    clearTimeout(quiet);
    latest = 0;
    const large = waiting().filter((each) => JSON.stringify(each.value).length > LARGE);
    for (const operation of large) operation.sentAt = Date.now();
    for (const operation of large) post([operation], false).catch(() => {}); // a socket's frame can't hold it
    const button = document.getElementById("persistence-send");
    if (button && root()?.dataset.hydrated === "true") button.click();
    if (waiting().length) quiet = setTimeout(send, AT_LEAST); // nobody took them: the page isn't ready
  }

  document.addEventListener("persistence-kept", () => { if (isWanted) send(); });

  // Called by the hidden button's handler: what waits, in its order.
  function take() {
    const now = Date.now(), taken = waiting().slice(0, BATCH);
    for (const operation of taken) operation.sentAt = now;
    return taken.map(wire);
  }

  async function post(operations, keepalive) {
    const mine = operations.filter((each) => each.actor === (root()?.dataset.actor || each.actor));
    if (!mine.length) return;
    const body = JSON.stringify({ operations: mine.map(wire) });
    const response = await fetch(endpoint(root()?.dataset.operations || "/persistence/operations"), {
      method: "POST", credentials: "include", headers: { "content-type": "application/json" }, body,
      keepalive: keepalive && body.length < KEEPALIVE,
    });
    if (!response.ok) throw new Error("refused: " + response.status);
    for (const answer of (await response.json()).operations) hear(answer);
  }

  // The server may have a port of its own, as in development; found as Reflex's own socket finds it.
  function endpoint(path) {
    const backend = root()?.dataset.backend;
    if (!backend) return path;
    const url = new URL(path, backend);
    if (["localhost", "0.0.0.0", "127.0.0.1", "::", "[::]"].includes(url.hostname)) {
      url.hostname = location.hostname;
      if (location.protocol === "https:") { url.protocol = "https:"; url.port = ""; }
    }
    return url.href;
  }

  async function retry() {
    const now = Date.now();
    if (posting || now < retryAt) return;
    const late = standing().filter((each) => now - (each.sentAt || each.madeAt) > UNCONFIRMED && each !== newest.get(dragging));
    if (!late.length) return;
    posting = true;
    try {
      await post(late.slice(0, BATCH), false);
      retryWait = UNCONFIRMED;
    } catch {
      retryWait = Math.min(LONGEST_RETRY, retryWait * 2);
    } finally {
      posting = false;
      retryAt = Date.now() + retryWait * (0.5 + Math.random() / 2);
    }
  }
  setInterval(retry, 500);
  addEventListener("online", () => { retryAt = 0; retry(); });

  function leave() {
    document.activeElement?.blur?.(); // Reflex's own inputs send what they hold
    const all = standing();
    for (let start = 0; start < all.length; start += BATCH) post(all.slice(start, start + BATCH), true).catch(() => {});
    for (const operation of all) operation.sentAt ||= Date.now();
  }
  addEventListener("pagehide", leave, true);
  addEventListener("beforeunload", () => document.activeElement?.blur?.(), true);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") send(); });

  // --- what pages left behind that are gone ---------------------------------------------------------------

  const touched = new Set(); // keys of what was edited in this page: older edits of another one are moot

  async function adopt() {
    const at = root();
    if (at?.dataset.hydrated !== "true") return; // who is it?
    for (const each of await outbox.abandoned(at.dataset.actor, client)) {
      const key = keyOf(each.target, each.field);
      if (kept.has(each.id)) continue;
      if (newest.has(key) || touched.has(key)) { outbox.drop(each.id); continue; }
      Object.assign(each, { sentAt: 1, isKept: true }); // long ago, for all we know: by the sure way
      kept.set(each.id, each);
      newest.set(key, each);
      if (each.kind === "set") for (const control of controls()) if (keyOf(targetOf(control), control.dataset.persistence) === key) put(control, each.value);
    }
    tell();
    retryAt = 0;
    retry();
  }
  const others = "BroadcastChannel" in window ? new BroadcastChannel("persistence-outbox") : null;
  others?.addEventListener("message", () => setTimeout(adopt, QUIET));
  addEventListener("pagehide", () => others?.postMessage("leaving"));
  addEventListener("online", adopt);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") adopt(); });
  setInterval(() => { if (document.visibilityState === "visible") adopt(); }, LOOK);
  outbox.live(client);

  // --- from the server ----------------------------------------------------------------------------------

  function hear({ id, status }) {
    if (status === "pending") return;
    const operation = forget(id);
    if (!operation) return;
    const key = keyOf(operation.target, operation.field);
    if (status !== "refused" && operation.kind !== "keys") for (const each of [...kept.values()]) {
      if (each.client === operation.client && each.seq < operation.seq && each.kind !== "keys" && keyOf(each.target, each.field) === key) forget(each.id);
    }
    if (newest.has(key)) return; // the user went on
    const control = [...controls()].find((each) => each.dataset.persistence === operation.field && each.dataset.persistenceTarget && keyOf(targetOf(each), operation.field) === key);
    if (!control || (operation.kind !== "set" && operation.kind !== "keys")) return;
    const shows = control.dataset.persistenceValue;
    control.dataset.persistenceOutcome = status; // the stylesheet offers to keep mine in a conflict
    if (status === "confirmed") {
      // A tidied form of what was typed waits until the user leaves the control.
      if (isActive(control) && isTidied(operation.value, parsed(shows, ""))) left.set(key, { value: shows, whileFocused: true });
    } else {
      left.set(key, { value: shows, whileFocused: false }); // refused: what was typed stays, beside the reason
    }
  }

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
      const mine = newest.get(key);
      if (mine?.kind === "set" || mine?.kind === "keys" || control.isDraft) continue;
      if (leaving && leaving.value === text && !isForgiven(control, leaving)) continue;
      left.delete(key);
      const isNew = control.dataset.persistenceShown !== text || Boolean(leaving);
      if (isNew || !isActive(control)) put(control, parsed(text, ""));
      control.dataset.persistenceShown = text;
    }
  }

  // What was refused stays in its control until the server takes its complaint back.
  function isForgiven(control, leaving) {
    const complains = control.dataset.persistenceRefused === "true";
    if (complains) leaving.wasInvalid = true;
    return Boolean(leaving.wasInvalid) && !complains;
  }

  let actor = null;
  function observe() {
    const at = root();
    if (at) {
      for (const id of parsed(at.dataset.confirmed, [])) if (kept.has(id)) hear({ id, status: "confirmed" });
      for (const answer of parsed(at.dataset.answers, [])) if (kept.has(answer.id)) hear(answer);
      if (at.dataset.hydrated === "true") {
        if (actor === null && !at.dataset.actor && at.dataset.guests === "true") becomeGuest(at);
        if (actor !== at.dataset.actor) queueMicrotask(adopt);
        actor = at.dataset.actor;
        if (waiting().length) schedule();
      }
    }
    show();
  }

  async function becomeGuest(at) {
    if (!navigator.cookieEnabled || sessionStorage.getItem("persistence-guest")) return; // cookies are blocked: don't load for ever
    sessionStorage.setItem("persistence-guest", "asked");
    await fetch(endpoint(at.dataset.guest), { method: "POST", credentials: "include" });
    location.reload();
  }

  new MutationObserver(observe).observe(document, {
    subtree: true, childList: true, attributes: true,
    attributeFilter: ["data-confirmed", "data-answers", "data-actor", "data-hydrated", "data-persistence-refused", "data-persistence-value", "data-persistence-target"],
  });

  // --- for components that aren't native ------------------------------------------------------------------

  // Records an edit and returns what waits, to be sent with the component's own event. The id's ending tells the
  // server that the component shows the value already, as no button does.
  function edited(tool, field, target, base, value, isShown = true) {
    const at = parsed(target, null);
    if (at && value !== undefined) record(field, at, Number(base) || 0, value, isShown ? WIDGET : "");
    return take();
  }

  window.persistence = {
    take, edited, act,
    // What isn't a value yet, in controls that keep it: half a JSON text, a row without its number.
    get drafts() { return [...controls()].filter((each) => each.isDraft); },
    // Not in the browser's outbox yet, so that it would be lost with the page.
    get unkept() { return [...kept.values()].filter((each) => !each.isKept); },
    get unconfirmed() { return [...kept.values()].map(wire); },
  };
})();
