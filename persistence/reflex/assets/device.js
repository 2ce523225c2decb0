// What this browser keeps for itself: values of `device_local` vars, and of elements with `on_device`.
//
// - Read before the first paint: each short value stands as <html data-device-…>, and as --device-… for CSS.
// - Kept in memory where storage is blocked or full, or where a value is too large; that is said in words. Where
//   it is blocked, the page gets one in memory: Reflex itself doesn't render without.
// - One value a key: every element, var and tab with that key follows the newest.
// - The server is told what is kept when it asks. Until it has the answer, what it shows is a default of its
//   own, which is never kept; after that, what it shows and we don't hold was set by a handler.
// - A text that can't be read, or that the server refuses, is kept aside under another name.
// - Names of the storage that don't begin with ours are left alone.
(() => {
  "use strict";
  if (window.persistenceDevice) return;

  const PREFIX = "persistence.device.", ASIDE = "persistence.aside.", LIMIT = 4_000_000, PART = 200_000, QUIET = 150, SHORT = 100;
  const held = new Map(); // key → its value as JSON text, as JSON.stringify writes it
  const notices = new Map(); // key → what the user should know
  const told = new Map(); // key → the text that the server was told last
  const seen = new WeakMap(); // a var's element → the text that it showed last
  const awaited = new WeakMap(); // a var's element → texts that the server was told since, and is to show
  const reading = { open: (node) => node.open, checked: (node) => node.checked, value: (node) => node.value, width: (node) => parseFloat(node.style.width), height: (node) => parseFloat(node.style.height) };
  let storage = null, question = "", parts = [], refusedBefore = "", sizeTimer = 0;

  try {
    storage = window.localStorage;
    storage.getItem(PREFIX);
  } catch {
    storage = null;
    for (const name of ["localStorage", "sessionStorage"]) {
      try { Object.defineProperty(window, name, { value: inMemory(), configurable: true }); } catch { /* it can't be helped */ }
    }
  }

  function inMemory() {
    const items = new Map();
    return {
      get length() { return items.size; },
      key: (at) => [...items.keys()][at] ?? null,
      getItem: (name) => items.get(String(name)) ?? null,
      setItem: (name, text) => { items.set(String(name), String(text)); },
      removeItem: (name) => { items.delete(String(name)); },
      clear: () => items.clear(),
    };
  }

  const canonical = (text) => JSON.stringify(JSON.parse(text));
  const root = () => document.getElementById("persistence-device");
  const vars = (key) => [...(root()?.querySelectorAll("[data-persistence-var]") || [])].filter((each) => !key || each.dataset.persistenceVar === key);
  const elements = (key) => [...document.querySelectorAll("[data-persistence-device]")].filter((each) => each.dataset.persistenceDevice === key);

  // --- the browser's storage ----------------------------------------------------------------------------

  // What is stored under a key, canonical; undefined for nothing, and for what had to be set aside.
  function stored(key) {
    const text = storage?.getItem(PREFIX + key) ?? null;
    if (text === null) return undefined;
    try {
      return canonical(text);
    } catch {
      setAside(key, text, "can't be read");
      return undefined;
    }
  }

  function storedKeys() {
    const names = [];
    for (let at = 0; storage && at < storage.length; at++) names.push(storage.key(at));
    return names.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
  }

  function keep(key, text) {
    const size = text.length > LIMIT / 3 ? new Blob([text]).size : text.length;
    if (size > LIMIT) {
      notices.set(key, `is too large for this browser to keep (${megabytes(size)} of at most ${megabytes(LIMIT)} MB). It lasts until this page is closed.`);
    } else if (!storage) {
      notices.set("", "This browser keeps nothing for this site: what you arrange lasts until the page is closed.");
    } else {
      try {
        storage.setItem(PREFIX + key, text);
        notices.delete(key);
      } catch {
        notices.set(key, "can't be kept: this browser's storage for the site is full. It lasts until this page is closed.");
      }
    }
    tell();
  }

  const megabytes = (bytes) => (bytes / 1_000_000).toFixed(1);

  // A text that is no use here is never overwritten: it stays in the browser, under another name.
  function setAside(key, text, why) {
    let name = ASIDE + key;
    try {
      for (let number = 2; ![null, text].includes(storage.getItem(name)) && number < 10; number++) name = `${ASIDE}${key}~${number}`;
      storage.removeItem(PREFIX + key); // first: there may be no room for both
      storage.setItem(name, text);
    } catch {
      try { storage.setItem(PREFIX + key, text); } catch { /* it was there before, so there is room */ }
    }
    held.delete(key);
    notices.set(key, `${why}, so the default is shown. What was stored is kept in this browser as “${name}”.`);
    tell();
  }

  // Not before React has taken the page over: it would make it anew for a text that it doesn't know.
  function tell() {
    if (document.getElementById("persistence-root")?.dataset.hydrated !== "true") return;
    const lines = [...notices].map(([key, text]) => (key ? `“${vars(key)[0]?.dataset.title || key}” ${text}` : text));
    for (const node of document.querySelectorAll("[data-persistence-device-notice]")) {
      if (node.textContent !== lines.join(" ")) node.textContent = lines.join(" ");
      if (node.hidden !== !lines.length) node.hidden = !lines.length;
    }
  }

  // --- one value for all who show it ----------------------------------------------------------------------

  function put(key, text, from = null) {
    if (held.get(key) === text) return;
    held.set(key, text);
    keep(key, text);
    follow(key, from);
  }

  function follow(key, from = null) {
    paint(key);
    for (const node of elements(key)) if (node !== from) apply(node);
    if (vars(key).some((each) => shownBy(each) !== truth(each))) answer([key]);
  }

  const attribute = (key) => "device-" + key.toLowerCase().replace(/[^a-z0-9]+/g, "-");

  // For CSS, which is there before anything else.
  function paint(key) {
    const html = document.documentElement, name = attribute(key);
    const value = held.has(key) ? JSON.parse(held.get(key)) : null;
    const isShort = ["number", "boolean"].includes(typeof value) || (typeof value === "string" && value.length <= SHORT);
    if (isShort) {
      if (html.getAttribute("data-" + name) !== String(value)) html.setAttribute("data-" + name, value);
      if (/^[\w .%#-]*$/.test(value)) html.style.setProperty("--" + name, value);
    } else if (html.hasAttribute("data-" + name)) {
      html.removeAttribute("data-" + name);
      html.style.removeProperty("--" + name);
    }
  }

  // --- elements that remember by themselves -----------------------------------------------------------------

  function fits(what, value) {
    if (what === "open" || what === "checked") return typeof value === "boolean";
    if (what === "value") return typeof value === "string";
    return typeof value === "number" && value >= 0 && value <= 100_000;
  }

  function apply(node) {
    const key = node.dataset.persistenceDevice, what = node.dataset.persistenceKeeps;
    if (!held.has(key) || !(what in reading)) return;
    const value = JSON.parse(held.get(key));
    if (!fits(what, value)) {
      if (!vars(key).length) setAside(key, held.get(key), "doesn't fit");
      return;
    }
    if (reading[what](node) === value) return;
    if (what === "width" || what === "height") node.style[what] = value + "px"; else node[what] = value;
  }

  function remember(node) {
    const what = node.dataset.persistenceKeeps, value = reading[what]?.(node);
    if (!fits(what, value)) return;
    const before = held.get(node.dataset.persistenceDevice), text = JSON.stringify(value);
    if (before !== text) put(node.dataset.persistenceDevice, text, node);
  }

  const sizes = typeof ResizeObserver === "undefined" ? null : new ResizeObserver((changes) => {
    clearTimeout(sizeTimer); // a drag is many sizes
    sizeTimer = setTimeout(() => { for (const { target } of changes) remember(target); }, QUIET);
  });

  function adopt(node) {
    apply(node);
    if (["width", "height"].includes(node.dataset.persistenceKeeps)) sizes?.observe(node);
  }

  for (const [kind, whats] of Object.entries({ toggle: ["open"], input: ["value", "checked"], change: ["value", "checked"] })) {
    document.addEventListener(kind, ({ target }) => {
      if (target instanceof Element && whats.includes(target.dataset?.persistenceKeeps)) remember(target);
    }, true);
  }

  // --- other tabs ---------------------------------------------------------------------------------------------

  function readAgain(key) {
    const text = stored(key); // what stands now: events of two tabs may cross
    if (text === held.get(key)) return;
    if (text === undefined) held.delete(key); else held.set(key, text);
    follow(key);
  }

  addEventListener("storage", (event) => {
    if (storage === null || (event.storageArea && event.storageArea !== storage)) return;
    if (event.key === null) for (const key of [...held.keys()]) readAgain(key);
    else if (event.key.startsWith(PREFIX)) readAgain(event.key.slice(PREFIX.length));
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted && storage) for (const key of new Set([...held.keys(), ...storedKeys()])) readAgain(key);
  });

  // --- the server's vars --------------------------------------------------------------------------------------

  function parsed(text, otherwise) {
    try { return text ? canonical(text) : otherwise; } catch { return otherwise; }
  }

  const shownBy = (node) => parsed(node.dataset.value, undefined);
  const truth = (node) => held.get(node.dataset.persistenceVar) ?? parsed(node.dataset.default, undefined);

  // Put what is kept under these keys into parts of a size that the socket takes, and send them one by one.
  function answer(keys) {
    if (!question) return;
    const wanted = {};
    for (const key of keys) {
      wanted[key] = held.has(key) ? held.get(key) : null;
      told.set(key, wanted[key]);
      for (const node of vars(key)) awaited.set(node, [...(awaited.get(node) || []), truth(node)]);
    }
    const text = JSON.stringify(wanted), of = Math.max(1, Math.ceil(text.length / PART));
    for (let part = 0; part < of; part++) parts.push({ asked: question, part, of, text: text.slice(part * PART, (part + 1) * PART) });
    send();
  }

  function send() {
    const waiting = parts.length;
    if (waiting) document.getElementById("persistence-device-send")?.click();
    if (parts.length && parts.length < waiting) queueMicrotask(send);
  }

  // Called by the hidden button's handler.
  const take = () => parts.shift() || {};

  function listen() {
    const at = root();
    if (!at?.dataset.asked) return;
    if (at.dataset.asked !== question) {
      question = at.dataset.asked;
      parts = [];
      for (const node of vars()) { seen.delete(node); awaited.delete(node); }
      answer(new Set(vars().map((each) => each.dataset.persistenceVar)));
      return;
    }
    if (parts.length) send();
    if (at.dataset.answered !== question) return;
    hearRefusals(at);
    for (const node of vars()) {
      const text = shownBy(node);
      if (text === undefined || seen.get(node) === text) continue;
      seen.set(node, text);
      const key = node.dataset.persistenceVar, texts = awaited.get(node) || [], at = texts.indexOf(text);
      awaited.set(node, texts.slice(at < 0 ? texts.length : at + 1));
      if (text === truth(node)) continue;
      if (at < 0) put(key, text); // a handler's
      else if (!awaited.get(node).length) answer([key]); // what we told it, and have changed since
    }
  }

  function hearRefusals(at) {
    if (at.dataset.refused === refusedBefore) return;
    const before = JSON.parse(refusedBefore || "{}"), now = JSON.parse(at.dataset.refused || "{}");
    refusedBefore = at.dataset.refused;
    for (const [key, { problem, count }] of Object.entries(now)) {
      const isNew = before[key]?.count !== count;
      if (isNew && held.has(key) && told.get(key) === held.get(key)) setAside(key, storage?.getItem(PREFIX + key) ?? held.get(key), problem);
    }
  }

  function copy() {
    for (const node of document.querySelectorAll('[data-persistence-copy][data-ready="true"]')) {
      const text = shownBy(node);
      if (text !== undefined) put(node.dataset.persistenceCopy, text);
    }
  }

  // --- the page as it is built and changes ----------------------------------------------------------------------

  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes" && change.target.dataset.persistenceDevice) adopt(change.target);
      for (const node of change.addedNodes) {
        if (!(node instanceof Element)) continue;
        if (node.dataset.persistenceDevice) adopt(node);
        for (const each of node.querySelectorAll("[data-persistence-device]")) adopt(each);
      }
    }
    listen();
    copy();
    tell();
  }).observe(document, {
    subtree: true, childList: true, attributes: true,
    attributeFilter: ["data-persistence-device", "data-value", "data-ready", "data-hydrated", "data-asked", "data-answered", "data-refused", "data-persistence-device-notice"],
  });

  // React takes the attributes of <html> away where it makes a page anew, and a theme its class with them.
  new MutationObserver(() => { for (const key of held.keys()) paint(key); })
    .observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });

  for (const key of storedKeys()) {
    const text = stored(key);
    if (text !== undefined) held.set(key, text);
    paint(key);
  }

  // For what was kept under another name before: "moved", or "kept" where there is a value already.
  function takeOver(key, text) {
    if (held.has(key)) return held.get(key) === text ? "moved" : "kept";
    put(key, text);
    return storage?.getItem(PREFIX + key) === text ? "moved" : "later";
  }

  window.persistenceDevice = { take, takeOver, get held() { return Object.fromEntries(held); } };
})();
