// The queue of a page's edits: each becomes an operation, is kept, sent, and answered. No build step, no dependencies.
//
// - Each edit is an operation with the target and the revision that the page showed at that moment. Operations of
//   one field fold until they are sent. What a control is, is `controls.js`' affair.
// - It is sent after 100 ms of quiet and at least every 500 ms, or at once where `send` is called; not while it is held.
// - The fast way is Reflex's socket, by a hidden button whose handler takes what waits. The sure way is
//   POST, for what isn't confirmed after 2 s and when the page goes. Ids make doing both harmless.
// - An operation is kept until the server says that it is durable, or refuses it; before it leaves it is in the
//   browser's outbox (outbox.js), so that it outlives the page. What other pages of this user left there is sent, too.
//
// For scripts: `window.persistence` (what waits, and the edits of components), and on `document` the events "persistence"
// (something changed) and "persistence-answer" (detail: the operation, and the server's answer to it).
(() => {
  "use strict";
  if (window.persistence) return;

  const QUIET = 100, AT_LEAST = 500, UNCONFIRMED = 2000, LONGEST_RETRY = 15000, KEEPALIVE = 60000, BATCH = 50, LARGE = 100000, LOOK = 10000;
  const outbox = window.persistenceOutbox, client = newClient();
  const isAway = Boolean(window.persistenceOffline); // a page from the shelf (offline/): the live page that follows sends
  const kept = new Map(); // id → operation that isn't confirmed
  const newest = new Map(); // key of target and field → its newest unconfirmed operation
  const touched = new Set(); // keys of what was edited in this page: older edits of another one are moot
  let seq = 0, quiet = 0, latest = 0, held = "", retryAt = 0, retryWait = UNCONFIRMED, posting = false, isWanted = false;

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

  // What wasn't sent yet of a field's edits is taken back.
  function drop(key) {
    for (const each of [...kept.values()]) if (!each.sentAt && keyOf(each.target, each.field) === key) forget(each.id);
  }

  // The newest edit of a field stands for the older ones, but single keys and an app's own kinds don't stand for one another.
  const isWhole = ({ kind }) => kind !== "keys" && !kind.includes(".");
  const standing = () => [...kept.values()].filter((each) => !isWhole(each) || newest.get(keyOf(each.target, each.field)) === each);

  // Whoever shows what isn't saved yet looks again.
  const tell = () => document.dispatchEvent(new CustomEvent("persistence"));
  const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
  const waiting = () => [...kept.values()].filter((each) => !each.sentAt && each.isKept);

  function record(field, target, base, value, ending = "", kind = "set") {
    const key = keyOf(target, field), last = newest.get(key);
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
  const root = () => document.getElementById("persistence-root");

  function parsed(text, otherwise) {
    try { return text ? JSON.parse(text) : otherwise; } catch { return otherwise; }
  }

  // --- to the server ----------------------------------------------------------------------------------

  function schedule() {
    const now = Date.now();
    if (!latest) latest = now + AT_LEAST;
    clearTimeout(quiet);
    quiet = setTimeout(send, Math.max(0, Math.min(QUIET, latest - now)));
  }

  // While something is dragged nothing is sent.
  function hold(key) { held = key; }
  function release() { held = ""; send(); }

  function send() {
    if (held || isAway) return;
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
    if (posting || isAway || now < retryAt) return;
    const late = standing().filter((each) => now - (each.sentAt || each.madeAt) > UNCONFIRMED && each !== newest.get(held));
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
    if (isAway) return;
    document.activeElement?.blur?.(); // Reflex's own inputs send what they hold
    const all = standing();
    for (let start = 0; start < all.length; start += BATCH) post(all.slice(start, start + BATCH), true).catch(() => {});
    for (const operation of all) operation.sentAt ||= Date.now();
  }
  addEventListener("pagehide", leave, true);
  addEventListener("beforeunload", () => document.activeElement?.blur?.(), true);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") send(); });

  // --- what pages left behind that are gone ---------------------------------------------------------------

  async function adopt() {
    const at = root();
    if (at?.dataset.hydrated !== "true") return; // who is it?
    for (const each of await outbox.abandoned(at.dataset.actor, client)) {
      const key = keyOf(each.target, each.field), other = newest.get(key);
      if (kept.has(each.id)) continue;
      if (isWhole(each)) { // of several edits of a field the latest counts, whichever page made it
        if (touched.has(key) || (other && isWhole(other) && other.madeAt > each.madeAt)) { outbox.drop(each.id); continue; }
        if (other && isWhole(other)) forget(other.id);
      }
      Object.assign(each, { sentAt: 1, isKept: true }); // long ago, for all we know: by the sure way
      kept.set(each.id, each);
      newest.set(key, each);
      say("persistence-adopted", each);
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

  function hear(answer) {
    if (answer.status === "pending") return;
    const operation = forget(answer.id);
    if (!operation) return;
    const key = keyOf(operation.target, operation.field);
    if (answer.status !== "refused" && operation.kind !== "keys") for (const each of [...kept.values()]) {
      if (each.client === operation.client && each.seq < operation.seq && each.kind !== "keys" && keyOf(each.target, each.field) === key) forget(each.id);
    }
    say("persistence-answer", { operation, answer });
  }

  let actor = null;
  function observe() {
    const at = root();
    if (!at) return;
    for (const id of parsed(at.dataset.confirmed, [])) if (kept.has(id)) hear({ id, status: "confirmed" });
    for (const answer of parsed(at.dataset.answers, [])) if (kept.has(answer.id)) hear(answer);
    if (at.dataset.hydrated !== "true") return;
    if (actor === null && !at.dataset.actor && at.dataset.guests === "true") becomeGuest(at);
    if (actor !== at.dataset.actor) queueMicrotask(adopt);
    actor = at.dataset.actor;
    if (waiting().length) schedule();
  }

  async function becomeGuest(at) {
    if (!navigator.cookieEnabled || sessionStorage.getItem("persistence-guest")) return; // cookies are blocked: don't load for ever
    sessionStorage.setItem("persistence-guest", "asked");
    await fetch(endpoint(at.dataset.guest), { method: "POST", credentials: "include" });
    location.reload();
  }

  new MutationObserver(observe).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["data-confirmed", "data-answers", "data-actor", "data-hydrated"],
  });

  window.persistence = {
    take,
    // Not in the browser's outbox yet, so that it would be lost with the page.
    get unkept() { return [...kept.values()].filter((each) => !each.isKept); },
    get unconfirmed() { return [...kept.values()].map(wire); },
  };
  // For the scripts of this library alone.
  window.persistenceOperations = { record, drop, schedule, send, hold, release, keyOf, newest: (key) => newest.get(key) };
})();
