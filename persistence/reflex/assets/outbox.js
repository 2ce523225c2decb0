// Where a browser keeps the edits that the server doesn't have yet, beyond the life of a page: in IndexedDB.
//
// - An operation is put here when it is made, again when it changes, and goes when it is answered. One that was refused
//   or is in conflict moves to `failed` in the same transaction: it is always in one of them.
// - Each page holds a lock while it lives. What a page left behind that is gone is its user's to send again, by the one
//   page that claims it.
// - Each operation knows its user: what somebody else left stays sealed until they are back.
// - A record that can't be read is put aside as it is, never sent and never thrown away. What a newer release wrote
//   is left where it is.
// - A secret setting's value is never here: its operation lives as long as its page.
// - Where storage is blocked or full the page goes on from memory, and `trouble` says so.
(() => {
  "use strict";
  if (window.persistenceOutbox) return;

  const NAME = "persistence", VERSION = 2, LOCK = "persistence-page:", CLAIM = "persistence-claim", UNLOCKED = 30000, ANSWERS_WITHIN = 3000, KNOWN_SLOW = 100, AGAIN = 10000;
  const pending = new Map(); // id → {isAgain}: writes of one operation never overlap
  let trouble = "", opening = null, living = Promise.resolve();

  // --- the database ---------------------------------------------------------------------------------------

  // Resolves to the database, or to null where there is none for now.
  function open() {
    opening ||= new Promise((resolve) => {
      let request;
      try { request = indexedDB.open(NAME, VERSION); } catch (error) { return resolve(fail(error)); }
      const slow = setTimeout(() => resolve(fail(new Error("slow"))), ANSWERS_WITHIN); // an older page holds it: from memory until then
      request.onupgradeneeded = () => upgrade(request.result);
      request.onerror = (event) => {
        event.preventDefault();
        clearTimeout(slow);
        resolve(fail(request.error));
        if (trouble !== "newer") setTimeout(() => { opening = null; }, AGAIN);
      };
      request.onsuccess = () => {
        clearTimeout(slow);
        const base = request.result;
        base.onversionchange = () => { // a newer release in another tab
          base.close();
          opening = Promise.resolve(fail({ name: "VersionError" }));
        };
        base.onclose = () => { opening = null; };
        opening = Promise.resolve(base);
        resolve(base);
        if (trouble === "blocked") say("");
      };
    });
    return opening;
  }

  // Schema 1 had no `failed`; its records are read as they are. What is there is never removed.
  function upgrade(base) {
    const has = (name) => base.objectStoreNames.contains(name);
    if (!has("operations")) base.createObjectStore("operations", { keyPath: "id" });
    if (!has("aside")) base.createObjectStore("aside", { autoIncrement: true });
    if (!has("failed")) base.createObjectStore("failed", { keyPath: "id" });
  }

  function say(words) {
    if (trouble === words) return;
    trouble = words;
    document.dispatchEvent(new CustomEvent("persistence"));
  }

  function fail(error) {
    say({ QuotaExceededError: "full", VersionError: "newer" }[error?.name] || (trouble === "newer" ? trouble : "blocked"));
    return null;
  }

  // Runs `work` in one transaction on these stores; resolves to whether it is done, never rejects.
  async function write(work, ...stores) {
    const base = await open();
    if (!base) return false;
    return new Promise((resolve) => {
      let transaction;
      try {
        transaction = base.transaction(stores, "readwrite");
        transaction.oncomplete = () => resolve(true);
        transaction.onabort = () => { fail(transaction.error); resolve(false); };
        work(...stores.map((name) => transaction.objectStore(name)));
      } catch (error) {
        if (transaction) transaction.onabort = null; // its reason is this one
        try { transaction?.abort(); } catch { /* it has ended already */ }
        fail(error);
        resolve(false);
      }
    });
  }

  // The same for work that waits for no answer of the storage: it is done though the page goes at this moment.
  const writeAtOnce = (work, ...stores) => write((...all) => { work(...all); all[0].transaction.commit(); }, ...stores);

  // A write that isn't done soon is waited for no longer: what was edited goes out from memory.
  function inTime(writing) {
    return new Promise((resolve) => {
      const slow = setTimeout(() => { fail(new Error("slow")); resolve(false); }, trouble ? KNOWN_SLOW : ANSWERS_WITHIN);
      writing.then((isDone) => {
        clearTimeout(slow);
        if (isDone && trouble) say(""); // there is room again, or what failed has passed
        resolve(isDone);
      });
    });
  }

  // Nor is one who signs out kept waiting.
  const soon = (work, otherwise) => Promise.race([work, new Promise((resolve) => { setTimeout(resolve, ANSWERS_WITHIN, otherwise); })]);

  async function all(store) {
    const base = await open();
    if (!base) return [];
    return new Promise((resolve) => {
      try {
        const request = base.transaction(store).objectStore(store).getAll();
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => resolve([]);
      } catch (error) { fail(error); resolve([]); }
    });
  }

  // --- operations -----------------------------------------------------------------------------------------

  const recordOf = ({ isReady, isKept, keeping, sentAt, since, isAlone, ...record }) => ({ ...record, version: VERSION });

  // Put it there as it is now; where it changes while that is under way, once more. `isReady` says that it may be sent,
  // `isKept` that it really is there.
  async function keep(operation) {
    if (operation.isSecret) { operation.isReady = true; operation.isKept = false; return; }
    const known = pending.get(operation.id);
    operation.isReady = operation.isKept = false;
    if (known) { known.isAgain = true; return known.done; }
    const entry = { isAgain: true, actor: operation.actor, operation };
    pending.set(operation.id, entry);
    entry.done = (async () => {
      let isKept = false;
      while (entry.isAgain) {
        entry.isAgain = false;
        isKept = await inTime(put(operation));
      }
      if (pending.get(operation.id) === entry) pending.delete(operation.id);
      operation.isKept = isKept;
      operation.isReady = true; // also where it can't be kept: `trouble` says why
      document.dispatchEvent(new CustomEvent("persistence-kept"));
    })();
    return entry.done;
  }

  const put = (operation) => writeAtOnce((operations) => operations.put(recordOf(operation)), "operations");

  // As the page goes: what was changed while it was being written. If it comes back, that is written once more.
  function hurry() { for (const entry of pending.values()) if (entry.isAgain) put(entry.operation); }

  function drop(id) {
    const entry = pending.get(id);
    if (entry) entry.isAgain = false;
    return writeAtOnce((operations) => operations.delete(id), "operations");
  }

  // --- what the server refused ------------------------------------------------------------------------------

  // From where it waits to where it is shown. Those that it went on from have nothing more to say.
  function refuse(entry, continued) {
    const busy = pending.get(entry.id);
    if (busy) busy.isAgain = false;
    return writeAtOnce((operations, failed) => {
      for (const id of continued) failed.delete(id);
      failed.put({ ...entry, version: VERSION });
      operations.delete(entry.id);
    }, "operations", "failed");
  }

  async function refused(actor) {
    const entries = await all("failed");
    return entries.filter((each) => isEntry(each) && each.actor === actor).sort((one, other) => one.heardAt - other.heardAt);
  }

  const settle = (id) => writeAtOnce((failed) => failed.delete(id), "failed");

  // --- what others left behind ------------------------------------------------------------------------------

  const isText = (value) => typeof value === "string" && value.length > 0 && value.length <= 200;
  const isKnown = (record) => !(typeof record?.version === "number" && record.version > VERSION); // else a newer release's: its own affair
  const isJson = (value) => { try { return JSON.stringify(value ?? null) !== undefined; } catch { return false; } };
  const isOperation = (record) => Number.isSafeInteger(record?.version) && isText(record.id) && isText(record.client) && isText(record.kind)
    && (isText(record.field) || (record.field === "" && record.kind.includes("."))) && Number.isSafeInteger(record.seq) && Number.isSafeInteger(record.base)
    && typeof record.actor === "string" && Array.isArray(record.target) && record.target.length === 3
    && record.target.every((part, at) => isText(part) || (at === 2 && part === "" && record.kind.includes("."))) && isJson(record.value);
  const isEntry = (entry) => isText(entry?.id) && typeof entry.actor === "string" && typeof entry.operation?.kind === "string" && Boolean(entry.answer);

  // The operations of this user which no page that lives will send, in no order: this page's from now on. Null where
  // nobody can look.
  async function claim(actor, mine) {
    await living;
    const work = async () => takeOver(actor, mine, await alive());
    return navigator.locks ? navigator.locks.request(CLAIM, work) : work();
  }

  async function takeOver(actor, mine, others) {
    const holderOf = (each) => each.holder || each.client;
    const isLeft = (each) => holderOf(each) !== mine && (others ? !others.has(holderOf(each)) : Date.now() - (each.heldAt || each.madeAt) > UNLOCKED);
    let found = null;
    await write((operations, aside) => {
      const request = operations.getAll();
      request.onsuccess = () => {
        found = [];
        for (const each of request.result) {
          if (!isKnown(each)) continue;
          if (!isOperation(each)) { aside.add(each); operations.delete(each.id); continue; }
          if (each.actor !== actor || !isLeft(each)) continue;
          found.push({ editedAt: each.madeAt, ...each, holder: mine, heldAt: Date.now() });
          operations.put({ ...found.at(-1), version: VERSION });
        }
      };
    }, "operations", "aside");
    return found;
  }

  // The clients whose pages live; null where the browser can't tell.
  async function alive() {
    if (!navigator.locks) return null;
    const { held } = await navigator.locks.query();
    return new Set(held.map((lock) => lock.name).filter((name) => name.startsWith(LOCK)).map((name) => name.slice(LOCK.length)));
  }

  function live(client) {
    if (!navigator.locks) return;
    living = new Promise((done) => { navigator.locks.request(LOCK + client, { ifAvailable: true }, () => { done(); return new Promise(() => {}); }).catch(done); });
  }

  // --- whose it is ------------------------------------------------------------------------------------------

  // What waits here of somebody.
  async function left(actor) {
    return (await all("operations")).filter((each) => isOperation(each) && each.actor === actor);
  }

  // How many edits of others wait here for them.
  async function sealed(actor) {
    return (await all("operations")).filter((each) => isOperation(each) && each.actor !== actor).length;
  }

  // Signing out: what waits says so to the one who comes back.
  const seal = (actor) => soon(write((operations) => {
    const request = operations.getAll();
    request.onsuccess = () => { for (const each of request.result) if (isOperation(each) && each.actor === actor && !each.isSealed) operations.put({ ...each, isSealed: true }); };
  }, "operations"), false);

  // Removes what is this user's, and what nobody can read; what is on its way there doesn't come after.
  function clear(actor) {
    for (const entry of pending.values()) if (entry.actor === actor) entry.isAgain = false;
    const remove = () => write((...stores) => {
      for (const store of stores) {
        const request = store.openCursor();
        request.onsuccess = () => {
          const cursor = request.result;
          if (!cursor) return;
          if (typeof cursor.value?.actor !== "string" || cursor.value.actor === actor) cursor.delete();
          cursor.continue();
        };
      }
    }, "operations", "failed", "aside");
    return soon(open().then((base) => !base || remove()), false); // without a database nothing is kept
  }

  window.persistenceOutbox = {
    keep, hurry, drop, refuse, refused, settle, claim, live, left, sealed, seal, clear, aside: () => all("aside"),
    get trouble() { return trouble; },
    get opened() { return open(); },
  };
})();
