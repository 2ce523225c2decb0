// Where a browser keeps the edits that the server doesn't have yet, beyond the life of a page: in IndexedDB.
//
// - An operation is put here when it is made, again when it changes, and goes when it is answered.
// - Each page holds a lock while it lives. What a page left behind that is gone is its user's to send again.
// - Each operation knows its user: what somebody else left stays sealed until they are back.
// - A record that can't be read is put aside as it is, never sent and never thrown away.
// - Where storage is blocked or full the page goes on from memory, and `trouble` says so.
(() => {
  "use strict";
  if (window.persistenceOutbox) return;

  const NAME = "persistence", VERSION = 1, LOCK = "persistence-page:", UNLOCKED = 30000;
  const pending = new Map(); // id → {operation, isBusy, isAgain}: writes of one operation never overlap
  let trouble = "", database = null;

  // --- the database ---------------------------------------------------------------------------------------

  const opened = new Promise((resolve) => {
    let request;
    try { request = indexedDB.open(NAME, VERSION); } catch (error) { return resolve(fail(error)); }
    request.onupgradeneeded = () => {
      request.result.createObjectStore("operations", { keyPath: "id" });
      request.result.createObjectStore("aside", { autoIncrement: true });
    };
    request.onerror = () => resolve(fail(request.error));
    request.onsuccess = () => {
      database = request.result;
      database.onversionchange = () => database.close(); // a newer release in another tab
      database.onclose = () => { database = null; fail(new Error("closed")); };
      resolve(database);
    };
  });

  function fail(error) {
    trouble = error?.name === "QuotaExceededError" ? "full" : "blocked";
    document.dispatchEvent(new CustomEvent("persistence"));
    return null;
  }

  // Runs `work` in a transaction; resolves to whether it is done, never rejects.
  async function write(work, store = "operations") {
    const base = await opened;
    if (!base) return false;
    return new Promise((resolve) => {
      try {
        const transaction = base.transaction(store, "readwrite");
        work(transaction.objectStore(store));
        transaction.oncomplete = () => { trouble = ""; resolve(true); };
        transaction.onabort = transaction.onerror = () => { fail(transaction.error); resolve(false); };
      } catch (error) { fail(error); resolve(false); }
    });
  }

  async function all() {
    const base = await opened;
    if (!base) return [];
    return new Promise((resolve) => {
      const request = base.transaction("operations").objectStore("operations").getAll();
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve([]);
    });
  }

  // --- operations -----------------------------------------------------------------------------------------

  // Put it there as it is now; where it changes while that is under way, once more. `isKept` says when it is.
  async function keep(operation) {
    const known = pending.get(operation.id);
    operation.isKept = false;
    if (known) { known.isAgain = true; return; }
    const entry = { isAgain: true };
    pending.set(operation.id, entry);
    while (entry.isAgain) {
      entry.isAgain = false;
      const { isKept, sentAt, ...record } = operation;
      await write((store) => store.put({ ...record, version: VERSION }));
    }
    if (pending.get(operation.id) === entry) pending.delete(operation.id);
    operation.isKept = true; // or it can't be, and `trouble` says why
    document.dispatchEvent(new CustomEvent("persistence-kept"));
  }

  function drop(id) {
    const entry = pending.get(id);
    if (entry) entry.isAgain = false;
    return write((store) => store.delete(id));
  }

  // --- what others left behind ------------------------------------------------------------------------------

  const isText = (value) => typeof value === "string" && value.length > 0 && value.length <= 200;
  const isOperation = (record) => record?.version === VERSION && isText(record.id) && isText(record.client) && isText(record.field)
    && Number.isSafeInteger(record.seq) && Number.isSafeInteger(record.base) && typeof record.actor === "string"
    && Array.isArray(record.target) && record.target.length === 3 && record.target.every(isText) && isText(record.kind);

  // The operations of this user which no page that lives will send, in the order they were made.
  async function abandoned(actor, mine) {
    const records = await all(), living = await alive();
    const good = records.filter(isOperation);
    for (const bad of records) if (!isOperation(bad)) await putAside(bad);
    const isLeft = (each) => (living ? !living.has(each.client) : Date.now() - each.madeAt > UNLOCKED);
    return good
      .filter((each) => each.actor === actor && each.client !== mine && isLeft(each))
      .sort((one, other) => (one.client < other.client ? -1 : one.client > other.client ? 1 : one.seq - other.seq));
  }

  async function putAside(record) {
    if (await write((store) => store.add(record), "aside")) await write((store) => store.delete(record.id));
  }

  // The clients whose pages live; null where the browser can't tell.
  async function alive() {
    if (!navigator.locks) return null;
    const { held } = await navigator.locks.query();
    return new Set(held.map((lock) => lock.name).filter((name) => name.startsWith(LOCK)).map((name) => name.slice(LOCK.length)));
  }

  function live(client) {
    navigator.locks?.request(LOCK + client, () => new Promise(() => {})).catch(() => {});
  }

  window.persistenceOutbox = { keep, drop, abandoned, live, get trouble() { return trouble; }, get opened() { return opened; } };
})();
