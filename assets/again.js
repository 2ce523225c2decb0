// Signing in again in place: where edits wait of somebody whom this browser isn't signed in as any more. The page stays as
// it is, says what waits, and goes on as the same person. Whoever else signs in doesn't send them: they stay sealed.
(() => {
  "use strict";
  if (window.accounts?.again) return;

  const TAB = "workbench-was";
  let was = recall(); // {id, kind, name} of whom this tab belongs to, also over a reload

  let asked = null; // what was asked about last

  const note = () => document.getElementById("sign-in-again-note");
  const dialog = () => document.getElementById("sign-in-again");
  const part = (name) => dialog().querySelector(`[data-again-${name}]`);
  const many = (count) => (count === 1 ? "1 change" : `${count} changes`);

  function recall() {
    try { return JSON.parse(sessionStorage.getItem(TAB)); } catch { return null; }
  }

  function keep(person) {
    was = person;
    try { if (person) sessionStorage.setItem(TAB, JSON.stringify(person)); else sessionStorage.removeItem(TAB); } catch { /* blocked: as long as the page */ }
  }

  let isLooking = false;
  async function remember() {
    const root = document.getElementById("persistence-root"), who = document.querySelector("[data-who]");
    if (root?.dataset.hydrated !== "true" || !root.dataset.actor || !who || window.persistence.identity || isLooking) return;
    const now = { id: root.dataset.actor, kind: who.dataset.who, name: who.querySelector(".who-name")?.textContent || "" };
    if (was && was.id !== now.id) { // loaded anew as somebody else: does anything wait for who was here?
      isLooking = true;
      const waiting = (await window.persistence.left(was.id)).length;
      if (waiting && ask({ actor: was.id, now: now.id, waiting })) return;
      isLooking = false;
    }
    if (was?.id !== now.id || was.name !== now.name || was.kind !== now.kind) keep(now);
  }

  // Also asked for by `accounts.js`, which would say that somebody else is signed in. Whether it asks.
  function ask(detail = window.persistence?.identity, isWanted = false) {
    if (!detail || !dialog() || was?.kind !== "account" || was.id !== detail.actor) return false;
    if (dialog().open) { list(detail); return true; }
    if (note() && asked?.actor === detail.actor && !isWanted) { asked = detail; return true; } // they said "not now"
    part("text").textContent = `${many(detail.waiting)} of ${was.name || "yours"} ${detail.waiting === 1 ? "waits" : "wait"} on this device. Sign in as ${was.name || "before"}, and all is saved.`;
    list(detail);
    asked = detail;
    note()?.remove();
    part("form").hidden = false;
    part("done").hidden = true;
    document.getElementById("who-changed")?.close();
    dialog().showModal();
    const name = dialog().querySelector("input[name=name]");
    if (!name.value) name.value = was.name;
    dialog().querySelector("input[name=password]").focus();
    return true;
  }

  // What was typed, so that nobody need fear for it; not where somebody else's account is signed in.
  async function list({ actor, now }) {
    const isOthers = now && now !== actor && document.querySelector("[data-who]")?.dataset.who === "account";
    if (isOthers) { part("list").replaceChildren(); return; }
    const titles = Object.assign({}, ...[...document.querySelectorAll("[data-persistence-titles]")].map((node) => JSON.parse(node.dataset.persistenceTitles)));
    const rows = (await window.persistence.left(actor)).slice(-5).map(({ field, kind, value }) => {
      const row = document.createElement("li"), text = typeof value === "string" ? value : JSON.stringify(value);
      const label = document.createElement("span");
      label.textContent = titles[field] || field || kind;
      row.append(label, document.createElement("q"));
      row.lastChild.textContent = kind === "set" ? text : kind;
      return row;
    });
    part("list").replaceChildren(...rows);
  }

  // Not now: what waits, and the way back to it, stay in sight.
  function remind() {
    if (!asked || note() || dialog().open || part("form").hidden) return;
    const made = document.createElement("aside"), text = document.createElement("span"), button = document.createElement("button");
    made.id = "sign-in-again-note";
    made.className = "persistence-release"; // looks like the library's own
    text.textContent = `${many(asked.waiting)} of ${was?.name || "yours"} ${asked.waiting === 1 ? "waits" : "wait"} on this device until you sign in again.`;
    button.type = "button";
    button.textContent = "Sign in";
    button.addEventListener("click", () => ask(asked, true));
    made.append(text, button);
    document.body.append(made);
    button.focus();
  }

  async function signedIn(user) {
    if (user.id === was.id) { location.reload(); return; } // the socket's cookies are those of its start
    const count = (await window.persistence.left(was.id)).length;
    await window.persistence.seal(was.id);
    part("form").hidden = true;
    part("done").hidden = false;
    part("done-text").textContent = `You are signed in as ${user.name}. ${many(count)} of ${was.name} ${count === 1 ? "stays" : "stay"} sealed on this device until ${was.name} signs in here.`;
    part("done").querySelector("button").focus();
    asked = null;
    keep(null);
  }

  document.addEventListener("persistence-identity", ({ detail }) => {
    if (detail) ask(detail);
    else { // signed in again in another tab
      asked = null;
      note()?.remove();
      if (dialog()?.open && !part("form").hidden) dialog().close();
    }
  });
  document.addEventListener("close", (event) => { if (event.target === dialog()) remind(); }, true);
  document.addEventListener("click", (event) => { if (event.target.closest?.("[data-again-close]")) dialog().close(); });
  new MutationObserver(remember).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-actor", "data-hydrated", "data-who"] });
  window.accounts.again = { ask, signedIn, forget: () => keep(null) };

  // On the page for signing in: what waits here for others than who looks at it.
  async function tellSealed() {
    const line = document.querySelector("[data-sealed]:empty");
    const count = line ? await window.persistence?.sealed() : 0;
    if (count && line) line.textContent = `${many(count)} made on this device ${count === 1 ? "waits" : "wait"} until whoever made ${count === 1 ? "it" : "them"} signs in.`;
  }
  document.addEventListener("persistence", tellSealed);
})();
