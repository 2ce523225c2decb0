// Keeps each page as it is shown, for a reload while the server is away: a service worker shows it then (offline/).
//
// - A page is kept when it is complete and quiet: connected, loaded, all edits confirmed, nothing open over it.
// - It is markup without scripts. Bound native controls stay editable, links lead on; what needs the server is marked and
//   disabled. Never in it: passwords, frames, hidden state, what is marked `data-persistence-offline="never"`.
// - It is kept for its user alone (offline/shelf.js), never where the server says `no-store`.
// - Switched off (the plugin's `offline=False`, or `persistence.offline.off()` in this browser), all of it is removed.
(() => {
  "use strict";
  if (window.persistence.offline) return;

  const settings = "__SETTINGS__"; // {isOn, worker, base}: written by offline.py
  const QUIET = 1000, AT_LEAST = 10_000, SHARE = 50, SOON = 60_000, ELEMENTS = 20_000, LATE = 3000, ANSWER = 5000, LOADED = 30_000, AWAY = [502, 503, 504], OFF = "persistence.offline", PLACE = "persistence-offline-place";
  const SPACE = settings.base + "persistence-offline/";
  const KEPT_FILE = /\.(css|woff2?|ttf|otf|svg|png|jpe?g|gif|webp|avif|ico)$/i;
  const shelf = persistenceShelf, bus = "BroadcastChannel" in window ? new BroadcastChannel("persistence-offline") : null;
  const allowed = new Map(); // path → whether the server lets it be kept
  let actor = null, isReady = false, changed = 0, since = 0, timer = 0, pause = QUIET, last = "", isKeeping = false;

  const root = () => document.getElementById("persistence-root");
  const isHydrated = () => root()?.dataset.hydrated === "true";

  // --- whether ---------------------------------------------------------------------------------------------------

  function isOff() {
    try { return !settings.isOn || localStorage.getItem(OFF) === "off"; } catch { return !settings.isOn; }
  }

  const ours = (registration) => [registration.active, registration.waiting, registration.installing].some((worker) => worker?.scriptURL.split("?")[0] === new URL(settings.worker, location.href).href);

  async function remove() {
    isReady = false;
    for (const each of await navigator.serviceWorker.getRegistrations()) if (ours(each)) await each.unregister();
    await shelf.forget();
  }

  async function start() {
    if (!navigator.serviceWorker || !window.indexedDB) return;
    try {
      if (isOff()) { if ((await navigator.serviceWorker.getRegistrations()).some(ours)) await remove(); return; }
      const known = await navigator.serviceWorker.getRegistration(settings.base);
      if (known && !ours(known) && new URL(known.scope).pathname === settings.base) {
        console.info(`persistence: this app has a service worker of its own. importScripts("${settings.worker}") in it keeps pages for offline.`);
      } else await navigator.serviceWorker.register(settings.worker, { scope: settings.base, updateViaCache: "none" });
      await navigator.serviceWorker.ready;
      isReady = true;
      note();
    } catch { /* blocked, or an insecure origin: the page is as it would be without */ }
  }

  // --- whose -----------------------------------------------------------------------------------------------------

  // Once a page, by what its first answer says. Somebody else later on: it keeps nothing any more.
  function meet(name) {
    if (name === actor) return;
    if (actor !== null) { forget(); return; }
    actor = name;
    shelf.claim(actor).then(note, () => { actor = ""; });
  }

  // What is kept of this page's user; other tabs of theirs keep nothing any more.
  async function forget() {
    const before = actor;
    actor = "";
    if (!before) return;
    await shelf.forget(before).catch(() => {});
    bus?.postMessage(before);
  }
  bus?.addEventListener("message", ({ data }) => { if (data === actor) actor = ""; });

  // --- when ------------------------------------------------------------------------------------------------------

  function note() {
    changed = Date.now();
    since ||= changed;
    timer ||= setTimeout(look, pause);
  }

  function look() {
    timer = 0;
    const now = Date.now();
    if (!isReady || !actor) return;
    if ((now - changed < QUIET && now - since < AT_LEAST) || !isCalm()) { timer = setTimeout(look, QUIET); return; }
    (window.requestIdleCallback || setTimeout)(keep, { timeout: 2000 });
  }

  const COVER = "dialog[open], [role=dialog][data-state=open], [role=alertdialog][data-state=open], [data-radix-popper-content-wrapper], :popover-open";
  function isCalm() {
    return isHydrated() && root().dataset.offline !== "true" && navigator.onLine && document.readyState === "complete" && actor === root().dataset.actor
      && !window.persistence.unconfirmed.length && !document.querySelector('[aria-busy="true"], [data-persistence-status="loading"]') && !document.querySelector(COVER);
  }

  // Does the server let this address be kept? Asked once a page's life; pages that only the app reached have no other answer.
  async function isAllowed(path) {
    if (!allowed.has(path)) {
      const answer = await fetch(path, { method: "HEAD", cache: "no-store" });
      if (answer.status === 429 || answer.status >= 500) throw new Error("not now");
      allowed.set(path, answer.ok && !/\bno-store\b/i.test(answer.headers.get("cache-control") || ""));
    }
    return allowed.get(path);
  }

  // Pages that ask for a password are of no use offline, and their address may hold a secret; not where a closed dialog could ask.
  const isPrivate = () => Boolean(document.querySelector('meta[name="persistence-offline"][content="never"], input[type="password"]:not([data-persistence], dialog:not([open]) *)'));

  async function keep() {
    if (isKeeping || !isCalm()) { timer ||= setTimeout(look, QUIET); return; }
    isKeeping = true;
    since = 0;
    const path = shelf.pathOf(location.href), mine = actor;
    try {
      const mayKeep = !isPrivate() && document.getElementsByTagName("*").length <= ELEMENTS && (await isAllowed(path)); // larger ones would be felt
      if (path !== shelf.pathOf(location.href)) return;
      if (!mayKeep) { last = ""; await shelf.drop(path); return; }
      const began = performance.now(), { content, files, isEditable } = picture();
      pause = Math.min(SOON, Math.max(QUIET, (performance.now() - began) * SHARE)); // a heavy page more seldom
      const text = path + JSON.stringify(content);
      if (text === last) return;
      await fetchFiles(mine, files);
      if (await shelf.keep(mine, { path, title: document.title, at: Date.now(), isEditable, files }, content)) last = text;
    } catch { /* no room or no answer: what is kept stays as it is */ } finally {
      isKeeping = false;
    }
  }

  async function fetchFiles(mine, files) {
    for (const url of await shelf.missing(files)) {
      const answer = await fetch(url, { cache: "force-cache" }).catch(() => null), type = answer?.headers.get("content-type") || "";
      if (!answer?.ok || !/^(text\/css|font\/|image\/|application\/font)/.test(type) || /\bno-store\b/i.test(answer.headers.get("cache-control") || "")) continue;
      await shelf.put(mine, { url, type, body: await answer.arrayBuffer() });
    }
  }

  // --- what ------------------------------------------------------------------------------------------------------

  const FIELDS = "input, textarea, select, canvas";
  const NEVER = "script, noscript, template, iframe, frame, object, embed, video, audio, link, meta, base, style, dialog, [popover], [data-sonner-toaster], [data-radix-popper-content-wrapper], "
    + "#persistence-device, #persistence-presence, .persistence-here, .persistence-note[data-unsaved], [data-persistence-move], [data-persistence-take]";
  const ACTING = "button, input, select, textarea, [role=button], [role=switch], [role=checkbox], [role=slider], [role=combobox], [role=tab], [role=radio], [contenteditable], a:not([href])";
  const ADDRESSES = ["href", "src", "xlink:href", "action", "formaction", "poster", "data"];

  // The page as markup that does nothing: made in a document without scripts, so that nothing runs or loads meanwhile.
  function picture() {
    const files = new Set(), apart = document.implementation.createHTMLDocument("");
    const body = apart.importNode(document.body, true);
    const copies = body.querySelectorAll(FIELDS);
    document.body.querySelectorAll(FIELDS).forEach((node, at) => fill(copies[at], node));
    for (const each of body.querySelectorAll('[data-persistence-offline="never"]')) {
      const note = apart.createElement("p");
      note.className = "persistence-offline-never";
      note.textContent = "Not kept for offline";
      each.replaceWith(note);
    }
    for (const each of body.querySelectorAll(NEVER)) each.remove();
    const at = root(), own = apart.createElement("div"); // what the scripts ask it, nothing more
    Object.assign(own, { id: "persistence-root", hidden: true });
    Object.assign(own.dataset, { actor: at.dataset.actor, hydrated: "true", offline: "true", confirmed: "[]", answers: "[]", operations: at.dataset.operations || "", schemas: at.dataset.schemas || "", backend: at.dataset.backend || "" });
    body.querySelector("#persistence-root")?.replaceWith(own);
    let isEditable = false;
    for (const each of body.querySelectorAll("[data-persistence]")) {
      if (each.localName.includes("-")) each.replaceChildren(); // ours: it builds itself
      each.removeAttribute("data-persistence-shown");
      isEditable ||= isLive(each);
    }
    for (const each of body.querySelectorAll(ACTING)) if (!staysLive(each)) still(each);
    for (const each of [body, ...body.querySelectorAll("*")]) clean(each, files);
    const html = document.documentElement, pairs = (node) => [...node.attributes].filter(({ name }) => isPlain(name)).map(({ name, value }) => [name, value]);
    return { content: { html: pairs(html), head: headOf(apart, files), attributes: pairs(body), body: body.innerHTML }, files: [...files], isEditable };
  }

  // Values as they are shown: they aren't in the markup.
  function fill(copy, node) {
    if (!copy) return;
    const secret = node.type === "password" || node.type === "file" || node.type === "hidden" || /^(cc-|one-time-code|current-password|new-password)/.test(node.autocomplete || "");
    if (node.localName === "canvas") {
      const image = copy.ownerDocument.createElement("img");
      for (const { name, value } of node.attributes) if (isPlain(name)) image.setAttribute(name, value);
      try { image.src = node.toDataURL(); } catch { /* of another site */ }
      image.alt = node.getAttribute("aria-label") || "";
      copy.replaceWith(image);
    } else if (node.localName === "select") [...copy.options].forEach((option, position) => option.toggleAttribute("selected", node.options[position]?.selected));
    else if (node.localName === "textarea") copy.textContent = secret ? "" : node.value;
    else if (secret) copy.removeAttribute("value");
    else if (node.type === "checkbox" || node.type === "radio") copy.toggleAttribute("checked", node.checked);
    else copy.setAttribute("value", node.value);
  }

  const isLive = (node) => Boolean(node.dataset.persistenceTarget) && node.type !== "password" && !node.disabled && node.getAttribute("aria-disabled") !== "true";

  function staysLive(node) {
    const control = node.closest("[data-persistence]");
    if (control) return isLive(control) && (control === node || control.localName === "fieldset");
    return node.matches("[data-persistence-search], [data-persistence-unsaved]");
  }

  function still(node) {
    if (node.matches("button, input, select, textarea")) node.setAttribute("disabled", "");
    else node.setAttribute("aria-disabled", "true");
    for (const name of ["tabindex", "contenteditable", "popovertarget"]) node.removeAttribute(name);
    node.dataset.offlineInert = "";
  }

  const isPlain = (name) => !/^on/i.test(name) && !["srcdoc", "nonce", "autofocus", "ping", "srcset", "integrity", "data-rht"].includes(name);

  function clean(node, files) {
    for (const { name, value } of [...node.attributes]) {
      if (!isPlain(name)) node.removeAttribute(name);
      else if (ADDRESSES.includes(name)) {
        const isLink = node.localName === "a" && name === "href", to = addressOf(value);
        if (isLink ? !to : !(to && ["img", "image", "input"].includes(node.localName)) && !value.startsWith("#")) node.removeAttribute(name);
        else if (!isLink && to && to.origin === location.origin && to.protocol !== "data:") node.setAttribute(name, filed(to, files));
      }
    }
  }

  function addressOf(value) {
    try { const url = new URL(value, location.href); return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) || value.startsWith("data:image/") ? url : null; } catch { return null; }
  }

  // The address under which the worker answers from the shelf.
  function filed(url, files) {
    const path = url.pathname + url.search;
    files.add(path);
    return path.startsWith(settings.base) ? SPACE + path.slice(settings.base.length) : path;
  }

  // Title, looks and icon. Rules that scripts made are in no text: they are written out.
  function headOf(apart, files) {
    const parts = [], make = (tag, attributes, text = "") => {
      const node = apart.createElement(tag);
      for (const [name, value] of Object.entries(attributes)) if (value) node.setAttribute(name, value);
      node.textContent = text;
      parts.push(node.outerHTML);
    };
    make("title", {}, document.title);
    for (const each of document.querySelectorAll("meta[name=viewport], meta[name=theme-color], meta[name=color-scheme]")) make("meta", { name: each.name, content: each.content, media: each.getAttribute("media") });
    for (const each of document.querySelectorAll("link[rel~=icon]")) if (each.origin !== "null") make("link", { rel: "icon", type: each.type, href: filed(new URL(each.href), files) });
    for (const sheet of [...document.styleSheets, ...document.adoptedStyleSheets]) {
      if (sheet.disabled) continue;
      if (sheet.href && new URL(sheet.href).origin === location.origin) make("link", { rel: "stylesheet", href: filed(new URL(sheet.href), files), media: sheet.media.mediaText });
      else if (!sheet.href) make("style", { media: sheet.media.mediaText }, [...sheet.cssRules].map((rule) => rule.cssText).join("\n").replace(/<\//g, "<\\/"));
    }
    for (const { name, initiatorType } of performance.getEntriesByType("resource")) { // what the stylesheets bring along
      const url = new URL(name);
      if (["css", "link"].includes(initiatorType) && url.origin === location.origin && KEPT_FILE.test(url.pathname) && !url.pathname.startsWith(SPACE)) files.add(url.pathname + url.search);
    }
    return parts.join("");
  }

  // --- back from a page of the shelf ------------------------------------------------------------------------------

  function goBack() {
    let place = null;
    try {
      place = JSON.parse(sessionStorage.getItem(PLACE));
      sessionStorage.removeItem(PLACE);
    } catch { return; }
    if (!place || place.path !== shelf.pathOf(location.href) || Date.now() - place.at > SOON) return;
    const until = Date.now() + LOADED, by = (node) => place.control && node.dataset.persistenceTarget === place.control[0] && node.dataset.persistence === place.control[1];
    const go = () => {
      if (document.activeElement !== document.body && document.activeElement) return; // the user was quicker
      const found = place.control ? [...document.querySelectorAll("[data-persistence]")].find(by) : place.id ? document.getElementById(place.id) : null;
      if ((place.control || place.id) && (!found || found.disabled) && Date.now() < until) { setTimeout(go, 50); return; }
      found?.focus({ preventScroll: true });
      try { if (place.selection?.[0] !== null && place.selection) found?.setSelectionRange(...place.selection); } catch { /* not every type has one */ }
      if (!scrollX && !scrollY) scrollTo(...place.scroll);
    };
    go();
  }

  // --- a page that came without its server ------------------------------------------------------------------------

  // Going back, a browser may bring an app from its own cache, which then waits for a server that is away. Loaded anew,
  // it is the worker's affair.
  async function lookForServer() {
    if (isHydrated() || !navigator.serviceWorker?.controller || !(await shelf.find(shelf.pathOf(location.href)).catch(() => null))) return;
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(ANSWER) }).catch(() => null);
    if (!isHydrated() && (!answer || AWAY.includes(answer.status))) location.reload();
  }
  document.addEventListener("DOMContentLoaded", () => setTimeout(lookForServer, LATE));

  // --- all of it ---------------------------------------------------------------------------------------------------

  let isStarted = false;
  function observe() {
    if (!isHydrated()) return;
    if (!isStarted) { isStarted = true; goBack(); (window.requestIdleCallback || setTimeout)(start, { timeout: 2000 }); }
    if (settings.isOn && root().dataset.actor) meet(root().dataset.actor);
    if (isReady) note();
  }
  new MutationObserver(observe).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  document.addEventListener("input", () => { if (isReady) note(); }, true);

  window.persistence.offline = {
    forget, // call it when somebody signs out
    pages: () => shelf.list(),
    on: () => { try { localStorage.removeItem(OFF); } catch { /* blocked */ } return start(); },
    off: () => { try { localStorage.setItem(OFF, "off"); } catch { /* blocked */ } return remove(); },
  };
})();
