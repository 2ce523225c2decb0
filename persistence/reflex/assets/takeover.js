// Takes over what an app kept in this browser before: names of the storage, and cookies.
//
// - Once a person and browser: who was answered for good is noted, by the actor's name.
// - The old value stays until the server says that the new one is durable.
// - What doesn't fit stays, and is tried again when the page is next loaded.
(() => {
  "use strict";
  if (window.persistenceTakeOver) return;

  const MARK = "persistence.taken";
  const offered = new Map(); // actor and move → what was sent
  const answered = new Set();

  const nodes = () => document.querySelectorAll("[data-persistence-take]");
  const actor = () => document.getElementById("persistence-root")?.dataset.actor || "";
  const hydrated = () => document.getElementById("persistence-root")?.dataset.hydrated === "true";
  const keyOf = (node) => JSON.stringify([node.dataset.device ? "" : actor(), node.dataset.persistenceTake]);

  function marks() {
    try { return JSON.parse(localStorage.getItem(MARK)) || []; } catch { return []; }
  }

  function mark(key) {
    try { localStorage.setItem(MARK, JSON.stringify([...new Set([...marks(), key])])); } catch { /* asked again next time */ }
  }

  const source = (node) => {
    const [kind, ...rest] = node.dataset.source.split(":");
    return [kind, rest.join(":")];
  };

  // The old text; null for none.
  function old(node) {
    const [kind, name] = source(node);
    try {
      if (kind === "local_storage") return localStorage.getItem(name);
      for (const pair of document.cookie.split("; ")) {
        const [key, ...value] = pair.split("=");
        if (decodeURIComponent(key) === name) return decodeURIComponent(value.join("="));
      }
    } catch { /* blocked, or a cookie that isn't ours to read */ }
    return null;
  }

  function remove(node) {
    const [kind, name] = source(node);
    try {
      if (kind === "local_storage") localStorage.removeItem(name);
      else document.cookie = `${encodeURIComponent(name)}=; max-age=0; path=/`;
    } catch { /* it stays */ }
  }

  // As JSON text: a word that stands for a value, a text itself, or JSON; what is neither, the server refuses.
  function asJson(node, text) {
    const words = JSON.parse(node.dataset.words);
    if (Object.hasOwn(words, text)) return JSON.stringify(words[text]);
    if (node.dataset.text === "true") return JSON.stringify(text);
    try { return JSON.stringify(JSON.parse(text)); } catch { return JSON.stringify(text); }
  }

  function done(node, status) {
    const key = keyOf(node);
    if (status === "moved" && node.dataset.remove === "true" && old(node) === offered.get(key)) remove(node);
    if (status === "moved" || status === "kept") mark(key);
  }

  function look() {
    if (!hydrated()) return;
    for (const node of nodes()) {
      const key = keyOf(node), text = old(node);
      if (node.dataset.answer && offered.has(key) && !answered.has(key)) {
        answered.add(key);
        done(node, node.dataset.answer);
      }
      if (text === null || offered.has(key) || node.dataset.ready !== "true" || (!node.dataset.device && !actor())) continue;
      if (marks().includes(key)) { offered.set(key, null); continue; }
      offered.set(key, text);
      if (node.dataset.device) done(node, window.persistenceDevice.takeOver(node.dataset.device, asJson(node, text)));
      else node.querySelector("button")?.click();
    }
  }

  // Called by the hidden button's handler.
  function take(name) {
    const node = [...nodes()].find((each) => each.dataset.persistenceTake === name);
    const text = node && offered.get(keyOf(node));
    if (typeof text !== "string") return {};
    return { name, tool: node.dataset.tool, field: node.dataset.field, scope: node.dataset.scope, text: asJson(node, text) };
  }

  new MutationObserver(look).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready", "data-answer", "data-actor", "data-hydrated"],
  });

  window.persistenceTakeOver = { take };
})();
