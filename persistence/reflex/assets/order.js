// What operations are, in which order they go, and how many at once. `operations.js` calls it; nothing here knows of page, time
// or storage.
(() => {
  "use strict";
  if (window.persistenceOrder) return;

  const BATCH = 50; // operations in one request, at the most

  const keyOf = (target, field) => JSON.stringify([target, field]);
  const fieldOf = ({ actor, target, field }) => JSON.stringify([actor, target, field]); // the same, of one user

  // An app's own kind; and what stands for all that a field said before, unlike those and single keys of a dict.
  const isOwnKind = ({ kind }) => kind.includes(".");
  const isOfKeys = ({ kind }) => kind === "keys";
  const isWhole = (operation) => !isOfKeys(operation) && !isOwnKind(operation);

  // An operation as the server reads it.
  const wire = ({ id, client, seq, target, field, kind, value, base, actor, together, schema }) => ({ id, client, seq, target, field, kind, value, base, actor, ...(together ? { together } : {}), ...(schema ? { schema } : {}) });

  // As they were made; each page's in its own order, whatever the clock did meanwhile.
  function inOrder(operations) {
    const latest = new Map(), madeAt = new Map();
    for (const each of [...operations].sort((one, other) => one.seq - other.seq)) {
      latest.set(each.client, Math.max(latest.get(each.client) || 0, each.madeAt));
      madeAt.set(each, latest.get(each.client));
    }
    return [...madeAt.keys()].sort((one, other) => madeAt.get(one) - madeAt.get(other));
  }

  // Each of an app's own kinds names as its base the one before it, of the same user and page at its target, that has no
  // answer, so that the server knows their order however they arrive.
  function chain(operations) {
    const last = new Map();
    for (const each of operations.filter(isOwnKind)) {
      const line = JSON.stringify([each.actor, each.target, each.client]);
      each.base = last.get(line) || 0;
      last.set(line, each.seq);
    }
  }

  // The newest whole edit of a field stands for the older ones; single keys and an app's own kinds stand for none.
  function standing(operations) {
    const seen = new Set(), found = [];
    for (const each of [...operations].reverse()) {
      const key = fieldOf(each);
      if (isWhole(each) && seen.has(key)) continue;
      if (isWhole(each)) seen.add(key);
      found.push(each);
    }
    return found.reverse();
  }

  // Those of a request, with the whole edits that its keys were made on and that have no answer: the server takes such an
  // edit for old news once it knows a later key. `all` in their order.
  function withWhole(operations, all) {
    if (!operations.some(isOfKeys)) return operations;
    const chosen = new Set(operations), whole = new Map();
    for (const each of standing(all)) {
      if (isWhole(each)) whole.set(fieldOf(each), each);
      else if (chosen.has(each) && isOfKeys(each) && whole.has(fieldOf(each))) chosen.add(whole.get(fieldOf(each)));
    }
    return all.filter((each) => chosen.has(each));
  }

  // Those that may go now. What another page began at a target is heard of first, if it doesn't take too long.
  function inLine(operations, isUnknown, isLong) {
    const first = new Map(), held = new Set(), unready = new Set();
    chain(operations);
    return operations.filter((each) => {
      const field = fieldOf(each);
      if (isWhole(each)) {
        if (!each.isReady) unready.add(field);
        return !held.has(field); // nor does it pass a key
      }
      if (isUnknown(each) || (isOfKeys(each) && unready.has(field))) { held.add(field); return false; }
      if (isOfKeys(each)) return true;
      const key = JSON.stringify([each.actor, each.target]);
      if (!first.has(key)) first.set(key, each);
      const before = first.get(key);
      return before.client === each.client || isLong(before);
    });
  }

  // The length of an operation's value as JSON, in characters.
  const sizeOf = (operation) => JSON.stringify(operation.value)?.length || 0;

  // Parts of at most so many characters of values; one that is larger by itself is a part of its own.
  function portions(operations, most) {
    const made = [];
    let size = Infinity;
    for (const each of operations) {
      size += sizeOf(each);
      if (size > most || made.at(-1).length >= BATCH) { made.push([]); size = sizeOf(each); }
      made.at(-1).push(each);
    }
    return made;
  }

  // [those that fit into so many bytes together as `wire` writes them, the rest]: a large one lets smaller ones behind it pass, but for keys of its own.
  function fitting(operations, bytes) {
    const fits = [], rest = [], large = new Set();
    let left = bytes;
    for (const each of operations) {
      const size = new TextEncoder().encode(JSON.stringify(wire(each))).length + 2, field = fieldOf(each);
      if (size < left && !(isOfKeys(each) && large.has(field))) { fits.push(each); left -= size; } else { rest.push(each); large.add(field); }
    }
    return [fits, rest];
  }

  // A copy, since what is sent is what was made. Raises TypeError for what JSON can't carry: it would hold up all the others.
  function copyOf(value) {
    const text = JSON.stringify(value ?? null);
    if (text === undefined) throw new TypeError("JSON can't carry this value");
    return JSON.parse(text);
  }

  function checkTarget(target, filled) {
    const is = Array.isArray(target) && target.length === 3 && target.every((part, at) => typeof part === "string" && (part || at >= filled));
    if (!is) throw new TypeError(`a target is three texts, of which the first ${filled} aren't empty`);
  }

  window.persistenceOrder = { inOrder, inLine, sizeOf, portions, fitting, standing, withWhole, isOwnKind, isWhole, keyOf, fieldOf, wire, copyOf, checkTarget };
})();
