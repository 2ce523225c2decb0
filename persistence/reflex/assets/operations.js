// The queue of a page's edits: each becomes an operation, is kept, sent, and answered. No build step, no dependencies.
//
// - Each edit is an operation with the target and the revision that the page showed at that moment. Operations of
//   one field fold until they are sent. What a control is, is `controls.js`' affair.
// - It is sent after 100 ms of quiet and at least every 500 ms, or at once where `send` is called; not while it is held.
// - The fast way is Reflex's socket, by a hidden button whose handler takes what waits. The sure way is
//   POST, for what isn't confirmed after 2 s and when the page goes. Ids make doing both harmless.
// - An operation is kept until the server says that it is durable, or refuses it; before it leaves it is in the
//   browser's outbox (outbox.js), so that it outlives the page. What other pages of this user left there is sent, too.
// - Nothing is sent for anybody but who made it.
//
// For other scripts there is `window.persistence`. An operation is {id, client, seq, target: [scope, owner, tool], field, kind,
// value, base, actor, schema, madeAt, editedAt}; kind is "set", "keys", "reset", "block", "pin", or an app's own "noun.verb".
//
//   submit(kind, target, value, field = "")  an operation of an app's own kind, kept in its order at that target; returns it
//   edit(kind, target, field, value, base)   an edit of a setting; returns the operation. `editAll(edits)` makes one action of several.
//                   Of kind "keys" its value is {set: {key: value}, remove: [key]}
//   failed()        promise of [{id, actor, operation, answer, heardAt}]: what the server refused or found in conflict, of this
//                   user, oldest first; durable until it is settled, which an answered edit does that went on from it
//   settle(id)      one is dealt with: it goes
//   again(id, value, base)  send it again as a new operation; value and base are those of before (the revision that stands,
//                   after a conflict) where they are undefined. It is settled as soon as the new one is kept or answered. Returns that
//   aside()         promise of the records that nobody could read, as they are
//   unconfirmed, unkept, drafts   operations that aren't durable; those of them that a crash would lose; controls with half a value
//   waiting         as unconfirmed, but of a field only the newest edit: what is counted for people
//   trouble         "", "blocked", "full" or "newer": why edits can't be kept in this browser
//   isOffline       is there no connection, by the browser, the socket or an attempt that failed?
//   isTrying        has the server what waits, and couldn't save it yet?
//   identity        null, or {actor, now, waiting}: edits of `actor` wait while the browser is signed in as `now` ("" for nobody)
//   sealed(), left(actor)   promises of how many edits of others wait here for them, and of those of somebody
//   seal(), clear() before signing out: keep what waits for this user; or remove it ("persistence-clear" tells others to). Whether that is done
//
// Events on `document`: "persistence" (something of this changed), "persistence-answer" {operation, answer},
// "persistence-identity" (its detail is `identity`), "persistence-returned" {saved, failed, isSealed} when what an earlier page left is answered.
(() => {
  "use strict";
  if (window.persistence) return;

  const QUIET = 100, AT_LEAST = 500, UNCONFIRMED = 2000, LONGEST_RETRY = 15000, PATIENCE = 12000, KEEPALIVE = 60000, LOOK = 10000;
  const LARGE = 100000, PORTION = 1000000, OLD = 60000, ORDERED_WITHIN = 30000, KNOWN_WITHIN = 3000;
  const SOMEBODY_ELSE = "was made by somebody else", TAKEN_BACK = "taken back"; // as the server words it
  const outbox = window.persistenceOutbox, { inOrder, inLine, sizeOf, portions, fitting, standing, withWhole, isOwnKind, isWhole, keyOf, fieldOf, wire, copyOf, checkTarget } = window.persistenceOrder;
  const client = newClient();
  const isAway = Boolean(window.persistenceOffline); // a page from the shelf (offline/): the live page that follows sends what is kept
  const kept = new Map(); // id → operation that isn't confirmed
  const newest = new Map(); // key of target and field → its newest unconfirmed operation
  const touched = new Map(); // user and key → when they edited it in this page: older edits of another one are moot
  const loose = new Map(); // id → failure that couldn't be kept, so that it lasts as long as the page
  const heard = new Set(); // ids of what handlers' edits were told of
  const returning = { ids: new Set(), saved: 0, failed: 0, isSealed: false };
  let failures = new Map(); // id → what was refused, as far as is known here
  let seq = 0, quiet = 0, latest = 0, held = "", retryAt = 0, retryWait = UNCONFIRMED, posting = false, isWanted = false, tried = new Set();
  let isLost = false, isCutOff = !navigator.onLine, isExpired = false, isTrying = false, adopting = null, strays = [], lookedFor = "", told = "null";

  // For what is measured within this page: a computer's clock may be set meanwhile.
  const now = () => performance.now();

  // --- operations -------------------------------------------------------------------------------------------

  function keep(operation) {
    kept.set(operation.id, operation);
    newest.set(keyOf(operation.target, operation.field), operation);
    operation.keeping = outbox.keep(operation);
    tell();
  }

  // Out of the queue; what becomes of its record is the caller's affair.
  function unlist(id) {
    const operation = kept.get(id);
    if (!operation) return null;
    kept.delete(id);
    const key = keyOf(operation.target, operation.field);
    if (newest.get(key) === operation) {
      const older = [...kept.values()].filter((each) => keyOf(each.target, each.field) === key);
      if (older.length) newest.set(key, older.at(-1)); else newest.delete(key);
    }
    return operation;
  }

  function forget(id) {
    if (!unlist(id)) return;
    outbox.drop(id);
    tell();
  }

  // What wasn't sent yet of a field's edits, and what was refused of them, is taken back.
  function drop(key) {
    for (const each of [...kept.values()]) if (!each.sentAt && keyOf(each.target, each.field) === key) forget(each.id);
    for (const { id, operation } of [...failures.values()]) if (keyOf(operation.target, operation.field) === key) settle(id);
  }

  // Whoever shows what isn't saved yet looks again.
  function tell() {
    document.dispatchEvent(new CustomEvent("persistence"));
    const detail = identity(), words = JSON.stringify(detail);
    if (words !== told) { told = words; say("persistence-identity", detail); }
  }
  const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

  // Until this page has looked for what is left, it can't know what came before: what is safe in the outbox waits for that.
  function sendable() {
    const isLong = (each) => now() - each.since > (isOwnKind(each) ? ORDERED_WITHIN : KNOWN_WITHIN), isUnknown = (each) => each.isKept && each.actor !== lookedFor && !isLong(each);
    return inLine([...kept.values()], isUnknown, isLong);
  }
  const allFor = (operations) => withWhole(operations, [...kept.values()]);
  const waiting = () => sendable().filter((each) => !each.sentAt && each.isReady);

  // `isAlone`: not folded with others. A control tells of all the keys that it changed, a script of those that it means.
  function record(field, target, base, given, ending = "", kind = "set", together = 0, isAlone = false) {
    checkTarget(target, 3);
    const key = keyOf(target, field), last = newest.get(key), value = typeof given === "string" ? given : copyOf(given);
    if (kind !== "keys") touched.set(actorNow() + key, Date.now());
    if (isOpen(last, kind) && last.id === idOf(last.seq) + ending && !together && !last.together && !isAlone && !last.isAlone) {
      Object.assign(last, { value, editedAt: Date.now(), schema: schemaOf(last) }); // `madeAt` says since when it waits
      last.keeping = outbox.keep(last);
      return last;
    }
    return make({ target, field, kind, value, base, isAlone }, ending, together);
  }

  // May what comes now of its field fold into it?
  const isOpen = (last, kind) => Boolean(last) && !last.sentAt && last.client === client && last.actor === actorNow() && last.kind === kind;

  function make({ target, field, kind, value, base, isAlone }, ending = "", together = 0) {
    const operation = { id: idOf(++seq) + ending, client, seq, target, field, kind, value, base, isAlone, sentAt: 0 };
    operation.actor = actorNow();
    operation.madeAt = operation.editedAt = Date.now();
    operation.since = now();
    if (together) operation.together = together;
    operation.schema = schemaOf(operation);
    if (isSecret(operation)) operation.isSecret = true;
    keep(operation);
    return operation;
  }

  function submit(kind, target, value, field = "") {
    if (!/^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/.test(kind)) throw new TypeError(`kind ${kind}: write it as noun.verb, in small letters`);
    checkTarget(target, 2);
    const operation = make({ target: [...target], field, kind, value: copyOf(value), base: 0 });
    schedule();
    return operation;
  }

  function edit(kind, target, field, value, base) {
    const operation = record(field, target, base, value, "", kind, 0, kind === "keys");
    send();
    return operation;
  }

  // Several edits that are one action: one step to undo.
  function editAll(edits) {
    const together = edits.length > 1 ? seq + 1 : 0;
    const made = edits.map(({ kind, target, field, value, base }) => record(field, target, base, value, "", kind, together, kind === "keys"));
    send();
    return made;
  }

  // Ids grow with time, so that the server's index of them stays dense, and with the client's own count, so that an
  // edit that comes late is known from a new one.
  const idOf = (number) => client + "." + number.toString(16).padStart(8, "0");
  function newClient() {
    const random = crypto.getRandomValues(new Uint8Array(8));
    const tail = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return Date.now().toString(16).padStart(12, "0") + "-" + tail;
  }

  // A secret is never written to the browser's disk: this page alone holds it, until the server does.
  const isSecret = ({ target, field }) => [...document.querySelectorAll("[data-persistence-secret]")].some((at) => at.dataset.persistence === field && at.dataset.persistenceTool === target[2])
    || [...failures.values()].some(({ operation, answer }) => answer.about?.secret && operation.field === field && operation.target[2] === target[2]);

  // The version of the tool's declaration that this page was built with; the server may have another one by then.
  const schemaOf = ({ target, kind }) => (kind.includes(".") ? 0 : parsed(root()?.dataset.schemas, {})[target[2]] || 1);
  const root = () => document.getElementById("persistence-root");
  const isHydrated = () => root()?.dataset.hydrated === "true";
  const actorNow = () => root()?.dataset.actor || "";

  function parsed(text, otherwise) {
    try { return text ? JSON.parse(text) : otherwise; } catch { return otherwise; }
  }

  // --- to the server ----------------------------------------------------------------------------------

  function schedule() {
    if (!latest) latest = now() + AT_LEAST;
    clearTimeout(quiet);
    quiet = setTimeout(send, Math.max(0, Math.min(QUIET, latest - now())));
  }

  // While something is dragged nothing is sent.
  function hold(key) { held = key; }
  function release() { held = ""; send(); }

  function send() {
    if (held || isAway) return;
    isWanted = [...kept.values()].some((each) => !each.sentAt && !each.isReady); // then as soon as they are
    if (!waiting().length) return;
    clearTimeout(quiet);
    latest = 0;
    const isLarge = (each) => sizeOf(each) > LARGE, withLarge = new Set([...kept.values()].filter((each) => isWhole(each) && isLarge(each)).map(fieldOf));
    const large = waiting().filter((each) => each.actor === actorNow() && (isLarge(each) || (each.kind === "keys" && withLarge.has(fieldOf(each)))));
    for (const operation of large) operation.sentAt = now();
    for (const operation of large) post([operation]).catch(() => {}); // a socket's frame can't hold it
    const button = document.getElementById("persistence-send");
    if (button && isHydrated() && !isOffline()) button.click(); // offline they wait here, not in the socket's own queue
    if (waiting().length) quiet = setTimeout(send, AT_LEAST); // nobody took them: the page isn't ready, or offline
  }

  document.addEventListener("persistence-kept", () => { tell(); if (isWanted) send(); });

  // Called by the hidden button's handler: what waits, in its order.
  function take() {
    const [taken = []] = portions(waiting().filter((each) => each.actor === actorNow()), 4 * LARGE);
    const all = allFor(taken);
    for (const operation of all) operation.sentAt ||= now();
    return all.map(wire);
  }

  // Resolves to whether anything was answered for good; rejects where nobody answers, or not now.
  async function post(operations, isLast = false) {
    const actor = actorNow(), mine = allFor(operations.filter((each) => each.actor === actor));
    if (!mine.length) return false;
    for (const each of mine) each.sentAt ||= now(); // from here on another edit is another operation
    const body = JSON.stringify({ operations: mine.map(wire) }), end = new AbortController();
    const timer = setTimeout(() => end.abort(), PATIENCE);
    let response;
    try {
      response = await fetch(endpoint(root()?.dataset.operations || "/persistence/operations"), {
        method: "POST", credentials: "include", headers: { "content-type": "application/json" }, body, keepalive: isLast, signal: end.signal,
      });
    } catch (error) {
      [isLost, isTrying] = [true, false];
      tell();
      throw error;
    } finally { clearTimeout(timer); }
    reached();
    if (response.status === 413 || response.status === 422) return refuseOne(mine, response);
    if (response.status === 401) { isExpired = true; tell(); }
    if (response.status === 429) retryAt = now() + 1000 * (Number(response.headers.get("retry-after")) || 1) * (1 + Math.random());
    if (!response.ok) throw new Error("refused: " + response.status);
    const answers = (await response.json()).operations;
    isTrying = answers.some((each) => each.status === "pending");
    isExpired = answers.some((each) => each.status === "pending" && each.problem.startsWith(SOMEBODY_ELSE));
    for (const answer of answers) hear(answer);
    tell();
    return answers.some((each) => each.status !== "pending");
  }

  // Something in there isn't what the server can read: found one by one, so that it holds up no other.
  async function refuseOne(operations, response) {
    if (operations.length > 1) { for (const each of operations) if (allFor([each]).length === 1) await post([each]); return true; } // else keys wait
    const problem = await response.json().catch(() => ({}));
    hear({ id: operations[0].id, status: "refused", problem: `can’t be taken: ${problem.detail || response.status}` });
    return true;
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

  // `isEager`: also what was sent just now, since nobody may have heard it.
  async function retry(isEager = false) {
    for (const each of kept.values()) if (each.isReady && !each.isKept && outbox.trouble === "") outbox.keep(each); // there is room again
    if (posting || now() < retryAt || (isAway && !window.persistenceOffline.isBack)) return;
    const isLate = (each) => isEager || now() - (each.sentAt || each.since) > UNCONFIRMED;
    const late = standing(sendable()).filter((each) => each.isReady && each.actor === actorNow() && isLate(each) && each !== newest.get(held) && !(isAway && each.isKept));
    if (!late.length) return;
    posting = true;
    const before = retryAt, inTurn = [...late.filter(({ id }) => !tried.has(id)), ...late.filter(({ id }) => tried.has(id))];
    let isHeard = false;
    tried = new Set();
    try { // all of them: what can't be answered now holds up nothing behind it. Where that takes long, the others are next
      for (const portion of portions(inTurn, PORTION)) {
        const began = now(), isAnswered = await post(portion.filter(({ id }) => kept.has(id)));
        for (const { id } of portion) tried.add(id);
        isHeard ||= isAnswered;
        if (!isAnswered && now() - began > UNCONFIRMED) break;
      }
    } catch { /* said in the status line */ } finally {
      posting = false;
      retryWait = isHeard ? UNCONFIRMED : Math.min(LONGEST_RETRY, retryWait * 2);
      if (retryAt === before) retryAt = isHeard ? 0 : now() + retryWait * (0.1 + 0.9 * Math.random()); // over the whole wait, as the server's own
    }
  }
  setInterval(() => retry(), 500);

  function hurry() { retryAt = 0; retryWait = UNCONFIRMED; retry(true); }
  const isOffline = () => isCutOff || root()?.dataset.offline === "true" || (isLost && kept.size > 0);
  function reached() { isLost = isCutOff = false; }
  addEventListener("offline", () => { isCutOff = true; tell(); });
  addEventListener("online", () => { isCutOff = false; hurry(); adopt(); });

  // What a page may still send when it goes is 64 kB in all; the rest is in the outbox.
  function leave() {
    if (isAway) return;
    document.activeElement?.blur?.(); // Reflex's own inputs send what they hold
    const [fits, rest] = fitting(standing(sendable()), KEEPALIVE);
    for (const [some, isLast] of [[fits, true], [rest, false]]) for (const portion of portions(some, PORTION)) post(portion, isLast).catch(() => {});
  }
  addEventListener("pagehide", () => { leave(); outbox.hurry(); }, true);
  addEventListener("beforeunload", (event) => {
    document.activeElement?.blur?.();
    if (loose.size || (isOffline() && [...kept.values()].some((each) => !each.isKept))) event.preventDefault(); // it would be lost: ask
  }, true);
  addEventListener("pageshow", (event) => { if (event.persisted) { outbox.live(client); hurry(); adopt(); } }); // taken out of the browser's cache
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") send(); });

  // --- what pages left behind that are gone ---------------------------------------------------------------

  function adopt() {
    if (!isHydrated() || !actorNow()) return; // who is it? A page from the shelf holds them, too, and shows them
    const actor = actorNow();
    adopting ||= takeOver(actor).finally(() => { adopting = null; if (actor !== actorNow()) adopt(); });
  }

  async function takeOver(actor) {
    const found = await outbox.claim(actor, client);
    strays.push(...(found || []));
    if (actor !== actorNow()) return; // this page holds them until they are back
    const claimed = strays.filter((each) => each.actor === actor);
    strays = strays.filter((each) => each.actor !== actor);
    for (const each of inOrder(claimed)) {
      const key = keyOf(each.target, each.field), other = newest.get(key), isOwn = other && isWhole(other) && other.actor === actor;
      if (kept.has(each.id)) continue;
      if (isWhole(each)) { // of several edits of a field the latest counts, whichever page made it
        if (touched.get(actor + key) > each.editedAt || (isOwn && other.editedAt > each.editedAt)) { outbox.drop(each.id); continue; }
        if (isOwn) forget(other.id);
      }
      Object.assign(each, { since: now(), sentAt: -Infinity, isReady: true, isKept: true }); // long ago, for all we know: by the sure way
      kept.set(each.id, each);
      newest.set(key, each);
      if (each.isSealed || Date.now() - each.madeAt > OLD) { returning.ids.add(each.id); returning.isSealed ||= Boolean(each.isSealed); }
      say("persistence-adopted", each);
    }
    if (found) lookedFor = actor;
    const all = inOrder([...kept.values()]);
    kept.clear();
    for (const each of all) { kept.set(each.id, each); newest.set(keyOf(each.target, each.field), each); }
    if (waiting().length) schedule();
    if (!claimed.length) return;
    tell();
    hurry();
  }
  const others = "BroadcastChannel" in window ? new BroadcastChannel("persistence-outbox") : null;
  others?.addEventListener("message", ({ data }) => { if (data === "failed") lookAtFailures(); else setTimeout(adopt, QUIET); });
  addEventListener("pagehide", () => others?.postMessage("leaving"));
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") adopt(); });
  setInterval(() => { if (document.visibilityState === "visible") adopt(); }, LOOK);
  outbox.live(client);

  function noteReturned(id, isSaved) {
    if (!returning.ids.delete(id)) return;
    if (isSaved) returning.saved += 1; else returning.failed += 1;
    if (returning.ids.size) return;
    say("persistence-returned", { saved: returning.saved, failed: returning.failed, isSealed: returning.isSealed });
    Object.assign(returning, { saved: 0, failed: 0, isSealed: false });
  }

  // --- from the server ----------------------------------------------------------------------------------

  function hear(answer) {
    if (answer.status === "pending") return;
    const operation = unlist(answer.id);
    if (!operation) return;
    reached();
    const isSaved = answer.status === "confirmed";
    if (isSaved || answer.problem === TAKEN_BACK) outbox.drop(operation.id); else fail(operation, answer);
    const isOver = (each) => isWhole(each) || (!isOwnKind(each) && ["reset", "block"].includes(operation.kind)); // which keys don't outlive
    if (answer.status !== "refused" && isWhole(operation)) for (const each of [...kept.values()]) {
      if (each.client === operation.client && each.actor === operation.actor && each.seq < operation.seq && isOver(each) && keyOf(each.target, each.field) === keyOf(operation.target, operation.field)) forget(each.id);
    }
    standFor(operation);
    tell();
    say("persistence-answer", { operation, answer });
    noteReturned(operation.id, isSaved);
  }

  // A handler's edit, which the server set aside: it lasts here, where a restart can't take it.
  function hearOfHandler(answer) {
    if (heard.has(answer.id)) return;
    heard.add(answer.id);
    const { operation, ...rest } = answer;
    fail({ client: "", seq: 0, kind: "set", value: null, base: 0, id: rest.id, target: rest.target, field: rest.field, ...operation, actor: actorNow(), madeAt: Date.now() }, rest);
  }

  // --- what failed --------------------------------------------------------------------------------------

  function fail(operation, answer) {
    const entry = { id: operation.id, actor: operation.actor, operation: { ...wire(operation), madeAt: operation.madeAt }, answer, heardAt: Date.now() };
    const next = newest.get(keyOf(operation.target, operation.field));
    if (next && next.client === operation.client && isWhole(next) && isWhole(operation)) (next.continues ||= []).push(operation.id); // they typed on
    loose.set(entry.id, entry);
    failures.set(entry.id, entry);
    if (operation.isSecret || answer.about?.secret) { outbox.drop(operation.id); return void changedFailures(); }
    outbox.refuse(entry, operation.continues || []).then((isKept) => { if (isKept) loose.delete(entry.id); changedFailures(); });
  }

  async function failed() {
    const actor = actorNow(), stored = actor ? await outbox.refused(actor) : [];
    failures = new Map([...stored, ...loose.values()].filter((each) => each.actor === actor).map((each) => [each.id, each]));
    return [...failures.values()];
  }
  const lookAtFailures = () => failed().then(tell);
  function changedFailures() { others?.postMessage("failed"); lookAtFailures(); }

  async function settle(id) {
    failures.delete(id);
    loose.delete(id);
    await outbox.settle(id);
    changedFailures();
  }

  // An edit that went on from one that failed stands for it; nothing else does: what isn't in sight any more may be missed.
  function standFor({ continues }) {
    for (const id of continues || []) if (failures.has(id) || loose.has(id)) settle(id);
  }

  function again(id, value, base) {
    const entry = failures.get(id);
    if (!entry || entry.actor !== actorNow()) return null;
    const { kind, target, field } = entry.operation, given = value === undefined ? entry.operation.value : value;
    const stands = base ?? entry.answer.theirs?.revision ?? (entry.answer.revision || entry.operation.base);
    const operation = kind.includes(".") ? submit(kind, target, given, field) : record(field, target, stands, given, "", kind, 0, kind === "keys");
    Object.assign(operation, { continues: [...(operation.continues || []), id] }, isOwnKind(operation) ? {} : { base: stands, ...(JSON.stringify(given) === JSON.stringify(entry.operation.value) ? { schema: entry.operation.schema } : {}) });
    operation.keeping.then(() => operation.isKept && settle(id)); // else its answer does
    send();
    return operation;
  }

  // --- who ----------------------------------------------------------------------------------------------

  function identity() {
    if (!isHydrated()) return null;
    const now = actorNow(), strangers = [...kept.values()].filter((each) => each.actor && each.actor !== now);
    if (strangers.length) return { actor: strangers[0].actor, now, waiting: strangers.length };
    return isExpired && now && kept.size ? { actor: now, now: "", waiting: kept.size } : null;
  }

  async function clear() {
    const actor = actorNow();
    for (const each of [...kept.values()]) if (each.actor === actor) unlist(each.id);
    failures.clear();
    loose.clear();
    const [isCleared] = await Promise.all([outbox.clear(actor), window.persistence.offline?.forget()]);
    say("persistence-clear", { actor });
    tell();
    return isCleared;
  }

  let actor = null;
  function observe() {
    const at = root();
    if (!at) return;
    for (const id of parsed(at.dataset.confirmed, [])) if (kept.has(id)) hear({ id, status: "confirmed" });
    for (const answer of parsed(at.dataset.answers, [])) if (answer.origin === "handler") hearOfHandler(answer); else if (kept.has(answer.id)) hear(answer);
    if (!isHydrated()) return;
    if (actor === null && !at.dataset.actor && at.dataset.guests === "true") becomeGuest(at);
    if (actor !== at.dataset.actor) {
      for (const each of kept.values()) if (!each.actor && !actor) { each.actor = at.dataset.actor; outbox.keep(each); } // made before anybody was known
      isExpired = false;
      queueMicrotask(() => { adopt(); lookAtFailures(); });
    }
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
    take, submit, edit, editAll, failed, settle, again, clear,
    aside: () => outbox.aside(),
    sealed: () => outbox.sealed(actorNow()),
    left: (actor) => outbox.left(actor),
    seal: async (actor = actorNow()) => { await Promise.all([outbox.seal(actor), window.persistence.offline?.forget()]); },
    get unkept() { return [...kept.values()].filter((each) => !each.isKept); },
    get unconfirmed() { return [...kept.values()].map(wire); },
    get trouble() { return outbox.trouble; },
    get waiting() { return standing([...kept.values()]).map(wire); },
    get isOffline() { return isOffline(); }, get isTrying() { return isTrying; },
    get identity() { return identity(); },
  };
  // For the scripts of this library alone.
  window.persistenceOperations = { record, drop, schedule, send, hold, release, keyOf, newest: (key) => newest.get(key), isFailed: (id) => failures.has(id), get unsent() { return [...kept.values()].filter((each) => !each.sentAt && each.actor === actorNow()).map(({ id }) => id); } };
})();
