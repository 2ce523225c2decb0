// The drawer of what couldn't be saved: what, where, why and when, with what can be done about it. Drawn from what this
// browser keeps, so that it is there offline, after a reload, and after the server was started anew.
//
// - An edit stays until its user has saved it another way, taken theirs, or discarded it, which asks once more.
// - What is sent from here is a new operation on what stands now; until it is answered its entry says so.
// - A secret is never shown nor exported; as long as its page lives it can be sent again as it was typed.
// - `window.persistenceUnsaved`: `entries`, `show(id)`, `act(name, id)`; the event "persistence-unsaved" says that it changed.
(() => {
  "use strict";
  if (window.persistenceUnsaved) return;

  const { h, icon, titleOf, whereOf, whyOf, ago, valueOf, shown, comparison, editor, exported, isConflict, isSecret, isGone } = window.persistenceWords;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("persistence-unsaved") : null;
  const modes = new Map(); // id → {edit, asks, problem}: what its entry is at besides being shown
  const sent = new Map(); // id of an operation sent from here → the entry that it was
  const later = new Map(); // id → id of the edit that went on from it and wasn't saved either: what is in sight by now
  const decided = []; // what the server needn't keep any more
  let entries = [], asides = [], reading = null, isStale = false, dialog = null, opener = null, last = null, known = null, isAsked = false;

  const ONLY_HERE = "What isn’t saved is kept only as long as this page: export it before you close the page.";
  const TROUBLES = {
    full: `This browser’s storage is full. ${ONLY_HERE}`,
    blocked: `This browser lets pages keep nothing. ${ONLY_HERE}`,
    newer: `A newer release of this app is open in another tab. Load this page anew. ${ONLY_HERE}`,
  };

  // --- what there is --------------------------------------------------------------------------------------------

  const actor = () => document.getElementById("persistence-root")?.dataset.actor || "";
  const keyOf = ({ operation }) => JSON.stringify([operation.target, operation.field]);
  const entryOf = (id) => entries.find((each) => each.operation.id === id);
  const announce = (words) => window.persistence.announce?.(words);

  // What is shown is what there is, also where a disk takes its time to say the rest.
  function read() {
    isStale = true;
    reading ||= (async () => {
      while (isStale) {
        isStale = false;
        const found = await window.persistence.failed();
        asides = (await window.persistence.aside()).filter(isMine);
        forgetSent();
        const leaving = new Set([...sent.values()].map((each) => each.operation.id));
        entries = found.filter((each) => !leaving.has(each.operation.id)).sort((one, other) => other.heardAt - one.heardAt);
        tell();
        draw();
        document.dispatchEvent(new CustomEvent("persistence-unsaved"));
      }
    })().finally(() => { reading = null; if (isStale) read(); });
    return reading;
  }

  // What isn't under way any more, though it has no answer of its own: a newer edit of the field stood for it.
  function forgetSent() {
    const waiting = new Set(window.persistence.unconfirmed.map(({ id }) => id));
    for (const id of [...sent.keys()]) if (!waiting.has(id)) sent.delete(id);
  }

  // A record that nobody can read may be of anybody who used this browser; of somebody else's nothing is told.
  const isMine = (record) => typeof record?.actor !== "string" || record.actor === actor();

  async function removeAsides() {
    const base = await window.persistenceOutbox.opened;
    if (!base) return;
    const shown = new Set(asides.map((each) => JSON.stringify(each))), transaction = base.transaction("aside", "readwrite");
    transaction.objectStore("aside").openCursor().onsuccess = ({ target: { result: cursor } }) => {
      if (!cursor) return;
      if (shown.has(JSON.stringify(cursor.value))) cursor.delete();
      cursor.continue();
    };
    await new Promise((done) => { transaction.oncomplete = transaction.onabort = done; });
  }

  // Read aloud once: what is new. What was there when the page came is told by its number.
  function tell() {
    const ids = new Set(entries.map((each) => each.operation.id));
    const fresh = entries.filter((each) => known && !known.has(each.operation.id));
    if (known === null && ids.size) announce(`${counted(ids.size)} couldn’t be saved.`);
    else if (fresh.length === 1) announce(`Not saved: ${whyOf(fresh[0])}.`);
    else if (fresh.length) announce(`${counted(fresh.length)} couldn’t be saved.`);
    if (window.persistence.announce) known = ids;
  }
  const counted = (number, what = "change") => (number === 1 ? `1 ${what}` : `${number} ${what}s`);

  let asked = 0;
  function soon() { clearTimeout(asked); asked = setTimeout(read, 30); }

  // The server lets go of what this browser keeps, or has decided about.
  function report() {
    const held = entries.map(({ operation: { id, target, field } }) => ({ id, target, field }));
    return { held: held.slice(0, 100), decided: decided.splice(0, 100) };
  }
  let reported = "";
  function reportSoon() {
    const ids = entries.map((each) => each.operation.id).join();
    if (ids === reported && !decided.length) return;
    const button = document.getElementById("persistence-hold");
    if (!button || document.getElementById("persistence-root")?.dataset.hydrated !== "true") return;
    reported = ids;
    button.click();
  }

  // --- what can be done -------------------------------------------------------------------------------------------

  // Its controls follow the server again.
  function decide(entry) {
    const { id, target, field } = entry.operation, control = controlAt(target, field);
    decided.push({ id, target, field });
    modes.delete(id);
    last = [target, field];
    if (control) window.persistence.act("release", control);
  }
  function controlAt(target, field) {
    const at = JSON.stringify(target);
    return [...document.querySelectorAll("[data-persistence]")].find((each) => each.dataset.persistence === field && JSON.stringify(parsed(each.dataset.persistenceTarget)) === at);
  }
  function parsed(text) { try { return JSON.parse(text); } catch { return null; } }

  function again(entry, value, base) {
    const operation = window.persistence.again(entry.operation.id, value, base);
    if (!operation) return changed();
    decide(entry);
    sent.set(operation.id, entry);
    entries = entries.filter((each) => each !== entry); // it is settled as soon as the new one is kept
    draw();
    return operation.keeping?.then(changed);
  }

  async function settle(entry) {
    decide(entry);
    await window.persistence.settle(entry.operation.id);
    changed();
  }

  function changed() {
    channel?.postMessage("changed");
    return read();
  }

  const baseOf = ({ operation, answer }) => answer.theirs?.revision ?? answer.revision ?? operation.base;
  const acts = {
    keep: (entry) => again(entry, entry.operation.value, baseOf(entry)),
    again: (entry) => again(entry, entry.operation.value, isConflict(entry) ? baseOf(entry) : entry.operation.base),
    take: (entry) => settle(entry).then(() => announce(`${titleOf(entry)}: theirs stays. Yours is in the history.`)),
    discard: (entry) => settle(entry).then(() => announce(`Discarded: ${titleOf(entry)}`)),
    export: (entry) => save([entry], `unsaved-${entry.operation.field || "edit"}.json`),
    copy: (entry) => navigator.clipboard?.writeText(valueOf(entry, entry.operation.value)).then(() => announce("Copied"), () => announce("Copying isn’t allowed here")),
    edit: (entry) => mode(entry, { edit: editor(entry) }),
    theirs: (entry) => mode(entry, { edit: editor(entry, entry.answer.theirs.value) }),
    ask: (entry) => mode(entry, { asks: true }),
    cancel: (entry) => mode(entry, null),
    send: (entry) => {
      const at = modes.get(entry.operation.id);
      if (!at?.edit) return undefined;
      let value;
      try { value = at.edit.read(); } catch (error) { at.problem = error.message; redraw(entry); at.edit.input.focus(); return undefined; }
      return again(entry, value, baseOf(entry));
    },
  };

  function act(name, id) {
    const entry = entryOf(id);
    return entry ? acts[name](entry) : undefined;
  }

  // Beside its field: what the control shows by now, which may be newer than what the page knows of.
  function actOnNewest(name, id) {
    let newest = id;
    while (later.has(newest)) newest = later.get(newest);
    return newest === id || entryOf(newest) ? act(name, newest) : read().then(() => act(name, newest));
  }

  function mode(entry, what) {
    if (what) modes.set(entry.operation.id, what); else modes.delete(entry.operation.id);
    const node = redraw(entry);
    node?.scrollIntoView({ block: "nearest" });
    (what?.edit?.input || node?.querySelector(what?.asks ? "[data-act=discard]" : "[data-act]"))?.focus();
  }

  function save(which, name) {
    const held = { "persistence": "edits that couldn’t be saved", version: 1, exported: new Date().toISOString(), edits: which.map(exported) };
    download(held, name);
    const secrets = which.filter(isSecret).length;
    announce(secrets ? `Exported. ${counted(secrets, "secret")} left out.` : "Exported");
  }

  function download(what, name) {
    const url = URL.createObjectURL(new Blob([JSON.stringify(what, null, 2)], { type: "application/json" }));
    h("a", { href: url, download: name.replace(/[^\w.-]+/g, "-") }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  // --- an entry -----------------------------------------------------------------------------------------------

  const action = (name, label, entry, more = "") => h("button", {
    type: "button", class: `persistence-button ${more}`, "data-act": name, "aria-label": `${label}: ${titleOf(entry)}`,
  }, label);

  function card(entry) {
    const { id } = entry.operation, at = modes.get(id) || {};
    return h("li", { class: "persistence-unsaved-entry", "data-id": id, "data-kind": isConflict(entry) ? "conflict" : "refused", "aria-labelledby": `unsaved-${id}`, tabindex: -1 },
      h("div", { class: "persistence-unsaved-head" }, h("h3", { id: `unsaved-${id}` }, titleOf(entry)), h("time", { title: new Date(entry.heardAt).toLocaleString() }, ago(entry.heardAt))),
      h("p", { class: "persistence-unsaved-where" }, whereOf(entry)),
      h("p", { class: "persistence-unsaved-why" }, icon(isConflict(entry) ? "people" : "alert"), h("span", {}, whyOf(entry) + ".")),
      isConflict(entry) ? comparison(entry) : !at.edit && shown(entry, valueOf(entry, entry.operation.value)),
      at.edit && h("div", { class: "persistence-unsaved-edit" }, at.edit.node, isConflict(entry) && !isSecret(entry) && action("theirs", "Start from theirs", entry, "persistence-quiet")),
      isSecret(entry) && !at.edit && h("p", { class: "persistence-unsaved-where" }, "A secret isn’t shown, and is kept only as long as this page."),
      at.problem && h("p", { class: "persistence-unsaved-problem", role: "alert" }, at.problem),
      h("div", { class: "persistence-unsaved-actions" }, actions(entry, at)));
  }

  function actions(entry, at) {
    if (at.edit) return [action("send", "Save", entry, "persistence-primary"), action("cancel", "Cancel", entry)];
    if (at.asks) return [h("span", { class: "persistence-unsaved-ask" }, "Gone for good?"), action("discard", "Discard", entry, "persistence-danger"), action("cancel", "Keep it", entry)];
    const rest = [!isSecret(entry) && action("export", "Export", entry, "persistence-quiet")];
    if (isConflict(entry)) return [action("keep", "Keep mine", entry), action("take", "Take theirs", entry), canEdit(entry) && action("edit", "Edit", entry), ...rest];
    if (isGone(entry)) return [!isSecret(entry) && action("copy", "Copy", entry), ...rest, action("ask", "Discard", entry, "persistence-quiet")];
    return [canEdit(entry) && action("edit", "Edit", entry), action("again", "Try again", entry), ...rest, action("ask", "Discard", entry, "persistence-quiet")];
  }
  const canEdit = ({ operation }) => !["reset", "block"].includes(operation.kind);

  const sending = (entry) => h("li", { class: "persistence-unsaved-entry", "data-kind": "sent", "data-id": `sent ${keyOf(entry)}`, tabindex: -1 },
    h("div", { class: "persistence-unsaved-head" }, h("h3", {}, titleOf(entry)), h("span", { class: "persistence-unsaved-sending" })),
    h("p", { class: "persistence-unsaved-where" }, whereOf(entry)));

  // --- the drawer ---------------------------------------------------------------------------------------------

  function make() {
    dialog = h("dialog", { class: "persistence-dialog persistence-unsaved", id: "persistence-unsaved", "aria-labelledby": "persistence-unsaved-title" },
      h("header", {}, h("h2", { id: "persistence-unsaved-title", tabindex: -1, autofocus: true }, "Not saved"),
        h("button", { type: "button", class: "persistence-icon-button", "aria-label": "Close", title: "Close", "data-drawer": "close" }, icon("remove")),
        h("p", { "data-part": "summary" })),
      h("div", { class: "persistence-unsaved-body" }, h("div", { "data-part": "trouble" }), h("ul", { "data-part": "list", role: "list" }), h("div", { "data-part": "rest" })),
      h("footer", { "data-part": "foot" }, h("button", { type: "button", class: "persistence-button", "data-drawer": "export" }, "Export all")));
    dialog.addEventListener("click", pressed);
    dialog.addEventListener("close", back);
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.target.localName === "input") && event.target.closest(".persistence-unsaved-edit")) {
        event.preventDefault();
        act("send", event.target.closest("[data-id]").dataset.id);
      }
      if (event.key === "Escape" && event.target.closest(".persistence-unsaved-edit")) { // the edit first, then the drawer
        event.preventDefault();
        act("cancel", event.target.closest("[data-id]").dataset.id);
      }
    });
    document.body.append(dialog);
  }
  // The focus goes to what opened the drawer; where that is gone with what it told, to the field that was decided last.
  function back() {
    opener?.focus();
    if (last && (document.activeElement !== opener || opener === document.body)) controlAt(...last)?.focus();
    opener = last = null;
    isAsked = false;
  }
  const part = (name) => dialog.querySelector(`[data-part=${name}]`);

  async function pressed(event) {
    if (event.target === dialog) return dialog.close(); // beside it
    const drawer = event.target.closest("[data-drawer]")?.dataset.drawer;
    if (drawer === "close") return dialog.close();
    if (drawer === "export") return save(entries, "unsaved.json");
    if (drawer === "aside-export") return download({ "persistence": "records that couldn’t be read", version: 1, records: asides }, "unreadable.json");
    if (drawer === "aside-ask") { isAsked = true; frame(); return part("rest").querySelector("[data-drawer=aside-remove]")?.focus(); }
    if (drawer === "aside-remove") { isAsked = false; await removeAsides(); return changed(); }
    const node = event.target.closest("[data-act]");
    return node && act(node.dataset.act, node.closest("[data-id]").dataset.id);
  }

  // The entries of the list are kept where they didn't change: what is being edited isn't disturbed.
  function draw() {
    reportSoon();
    if (!dialog?.open) return;
    const list = part("list"), nodes = new Map([...list.children].map((node) => [node.dataset.id, node]));
    const wanted = [...[...sent.values()].map((entry) => [`sent ${keyOf(entry)}`, () => sending(entry)]), ...entries.map((entry) => [entry.operation.id, () => card(entry)])];
    const focused = list.contains(document.activeElement) && document.activeElement.closest("[data-id]");
    const position = focused ? [...list.children].indexOf(focused) : -1;
    for (const [id, node] of nodes) if (!wanted.some(([each]) => each === id)) node.remove();
    wanted.forEach(([id, make_], index) => {
      const node = nodes.get(id) || make_();
      if (list.children[index] !== node) list.insertBefore(node, list.children[index] || null);
    });
    const words = window.persistence.isOffline ? "No connection: waits" : "Saving…";
    for (const node of list.querySelectorAll(".persistence-unsaved-sending")) if (node.textContent !== words) node.textContent = words;
    if (focused && !focused.isConnected) (list.children[Math.min(position, list.children.length - 1)] || part("summary").parentNode.querySelector("h2")).focus();
    frame();
  }

  function redraw(entry) {
    const node = dialog && [...part("list").children].find((each) => each.dataset.id === entry.operation.id);
    if (!node) return null;
    const fresh = card(entry);
    node.replaceWith(fresh);
    return fresh;
  }

  // What stands around the list.
  function frame() {
    const waiting = window.persistence.unconfirmed.length - sent.size, trouble = window.persistence.trouble;
    const isEmpty = !entries.length && !sent.size;
    put("summary", isEmpty ? "" : entries.length ? `${counted(entries.length)} couldn’t be saved. ${entries.length === 1 ? "It stays" : "They stay"} in this browser until you decide.` : "");
    const rest = [];
    if (isEmpty) rest.push(h("div", { class: "persistence-unsaved-empty" }, icon("check"), h("p", {}, waiting > 0 ? "Nothing needs you." : "Everything is saved.")));
    if (waiting > 0) rest.push(h("p", { class: "persistence-unsaved-note" }, icon("clock"), h("span", {}, `${counted(waiting)} ${waiting === 1 ? "waits" : "wait"} for the server, and ${waiting === 1 ? "goes" : "go"} by ${waiting === 1 ? "itself" : "themselves"}.`)));
    if (asides.length) rest.push(h("div", { class: "persistence-unsaved-note" }, icon("alert"),
      h("span", {}, `${counted(asides.length, "record")} in this browser can’t be read, of another version perhaps. ${asides.length === 1 ? "It is" : "They are"} kept as found.`),
      h("span", { class: "persistence-note-actions" }, h("button", { type: "button", class: "persistence-button", "data-drawer": "aside-export" }, "Export"),
        h("button", { type: "button", class: "persistence-button persistence-quiet", "data-drawer": isAsked ? "aside-remove" : "aside-ask" }, isAsked ? "Really remove" : "Remove"))));
    put("rest", ...rest);
    put("trouble", trouble && h("p", { class: "persistence-unsaved-note persistence-unsaved-trouble", role: "alert" }, icon("alert"), h("span", {}, TROUBLES[trouble] || TROUBLES.blocked)));
    part("foot").hidden = !entries.length;
  }

  function put(name, ...nodes) {
    const at = part(name), made = h("div", {}, ...nodes);
    if (at.innerHTML !== made.innerHTML) at.replaceChildren(...made.childNodes);
  }

  // Opens the drawer, at one entry where it is named.
  function show(id) {
    if (!dialog?.isConnected) make();
    if (!dialog.open) { opener = document.activeElement; dialog.showModal(); draw(); }
    read().then(() => {
      const node = id && [...part("list").children].find((each) => each.dataset.id === id);
      if (node) { node.scrollIntoView({ block: "nearest" }); node.focus(); }
    });
  }

  // --- hearing ------------------------------------------------------------------------------------------------

  document.addEventListener("persistence-answer", ({ detail: { operation, answer } }) => {
    const entry = sent.get(operation.id);
    if (entry) {
      sent.delete(operation.id);
      if (answer.status === "confirmed") announce(`Saved: ${titleOf(entry)}`);
    }
    if (answer.status !== "confirmed") for (const id of operation.continues || []) later.set(id, operation.id);
    if (entry || answer.status !== "confirmed") soon();
  });
  document.addEventListener("persistence", () => { soon(); if (dialog?.open) frame(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") soon(); });
  document.addEventListener("click", (event) => {
    const opens = event.target.closest?.("[data-persistence-unsaved]");
    if (opens) show(opens.dataset.persistenceUnsaved || undefined);
  });
  channel?.addEventListener("message", soon);
  new MutationObserver(() => { soon(); reportSoon(); }).observe(document, { subtree: true, childList: false, attributes: true, attributeFilter: ["data-actor", "data-hydrated", "data-offline"] });
  setInterval(() => { // times pass
    if (!dialog?.open || document.visibilityState !== "visible") return;
    for (const node of dialog.querySelectorAll("time")) { const entry = entryOf(node.closest("[data-id]").dataset.id); if (entry) node.textContent = ago(entry.heardAt); }
  }, 30000);

  window.persistenceUnsaved = { show, act, actOnNewest, report, read, actor, get entries() { return entries; }, get unreadable() { return asides; } };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", soon); else soon();
})();
