// The service worker: a page whose server is away is shown as it was last, not the browser's error.
//
// - It answers navigations alone, and files for the pages that it serves. Scripts, styles, data, POSTs, sockets of a live page
//   never pass through it, so nothing out of date is ever shown while there is a connection.
// - The network comes first. Only where it fails, doesn't answer for a while, or says that the server is away
//   (502, 503, 504) the page comes from the shelf; a page that isn't there becomes a list of those that are.
// - It removes itself where its own script is gone from the server.
"use strict";
const PERSISTENCE = "__SETTINGS__"; // {base, script, style}: written by offline.py

(() => {
  const SPACE = PERSISTENCE.base + "persistence-offline/", AWAY = [502, 503, 504], PATIENCE = 6000;
  const LEFT_ALONE = ["_event", "_upload", "auth", "api", "persistence", "ping", "_health"].map((name) => PERSISTENCE.base + name);
  const shelf = persistenceShelf;

  addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(Promise.all([
    self.clients.claim(), self.registration.navigationPreload?.enable().catch(() => {}),
  ])));

  addEventListener("fetch", (event) => {
    const { request } = event, url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== location.origin) return;
    if (request.mode === "navigate") {
      if (request.destination !== "document" || LEFT_ALONE.some((path) => url.pathname === path || url.pathname.startsWith(path + "/"))) return;
      event.respondWith(url.pathname.startsWith(SPACE) ? elsewhere(shelf.pathOf(url)) : navigate(event, url));
    } else if (url.pathname.startsWith(SPACE) || isFromSpace(request.referrer)) {
      event.respondWith(file(url));
    }
  });

  const isFromSpace = (referrer) => referrer.startsWith(location.origin + SPACE); // a font of a kept stylesheet
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

  // --- navigations --------------------------------------------------------------------------------------------

  async function navigate(event, url) {
    const answer = network(event), path = shelf.pathOf(url);
    let response = await Promise.race([answer, sleep(PATIENCE)]);
    if (response === undefined) { // no answer yet: what is kept now is better than what may come
      const kept = await find(path);
      if (kept) return page(kept);
      response = await answer;
    }
    if (response && !AWAY.includes(response.status)) {
      event.waitUntil(learn(response, path));
      return response;
    }
    const kept = await find(path);
    return kept ? page(kept) : elsewhere(path);
  }

  async function network(event) {
    try {
      return (await event.preloadResponse) || (await fetch(event.request));
    } catch {
      return null;
    }
  }

  let looked = 0;
  async function learn(response, path) {
    if (/\bno-store\b/i.test(response.headers.get("cache-control") || "")) await shelf.drop(path).catch(() => {});
    if (Date.now() - looked < 3600_000) return;
    looked = Date.now();
    const own = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (own && [404, 410].includes(own.status)) {
      await shelf.forget().catch(() => {});
      await self.registration.unregister();
    }
  }

  const find = (path) => shelf.find(path).catch(() => null);

  // --- pages -----------------------------------------------------------------------------------------------

  const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  const escaped = (text) => String(text).replace(/[&<>"]/g, (mark) => ESCAPES[mark]);
  const attributes = (pairs) => pairs.map(([name, value]) => (/^[a-z][a-z0-9-]*$/i.test(name) ? ` ${name}="${escaped(value)}"` : "")).join("");
  const literal = (value) => JSON.stringify(value).replace(/</g, "\\u003c").replace(/[\u2028\u2029]/g, (mark) => "\\u" + mark.charCodeAt(0).toString(16));

  function page({ owner, page: { path, at, isEditable }, content }) {
    return document_({ kind: "page", path, at, isEditable, owner }, content, 200);
  }

  async function elsewhere(path) {
    const pages = await shelf.list().catch(() => []);
    const isList = path.startsWith(SPACE.replace(/\/$/, ""));
    const list = pages.map(({ path: each, title, at }) => `<li><a href="${escaped(each)}">${escaped(title || each)}</a> <time data-at="${Number(at)}"></time></li>`).join("");
    const title = isList ? "Pages kept in this browser" : "Offline";
    const body = `<main class="persistence-away"><h1>${title}</h1>`
      + (isList ? "" : "<p>There is no connection to the server, and this page isn’t kept in this browser. It opens by itself when the connection is back.</p>")
      + (list ? `<h2>${isList ? "As they were last" : "Kept in this browser"}</h2><ul>${list}</ul>` : "<p>Pages are kept here as you visit them.</p>") + "</main>";
    const html = [["lang", "en"], ["style", "color-scheme: light dark"]];
    return document_({ kind: isList ? "list" : "away", path }, { html, head: `<title>${title}</title><meta name="viewport" content="width=device-width, initial-scale=1">`, attributes: [], body }, isList ? 200 : 503);
  }

  // What was kept is markup without scripts; what it may load and run is said here, once more.
  function document_(about, { html, head, attributes: own, body }, status) {
    const nonce = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const policy = [
      "default-src 'none'", `script-src 'nonce-${nonce}'`, "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "font-src 'self' data:",
      "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].join("; ");
    const text = `<!doctype html><html${attributes([...html, ["data-persistence-offline", about.kind]])}><head><meta charset="utf-8">`
      + `<script nonce="${nonce}">window.persistenceOffline = ${literal({ ...about, base: PERSISTENCE.base })};\n${PERSISTENCE.script}</script>${head}<style>${PERSISTENCE.style}</style></head>`
      + `<body${attributes(own)}>${body}</body></html>`;
    return new Response(text, {
      status,
      headers: {
        "content-type": "text/html; charset=utf-8", "content-security-policy": policy, "cache-control": "no-store",
        "referrer-policy": "same-origin", "x-content-type-options": "nosniff",
      },
    });
  }

  // --- files -------------------------------------------------------------------------------------------------

  async function file(url) {
    const path = url.pathname.startsWith(SPACE) ? PERSISTENCE.base + url.pathname.slice(SPACE.length) : url.pathname;
    const kept = await shelf.file(path + url.search).catch(() => null);
    if (!kept) return fetch(path + url.search);
    return new Response(kept.body, { headers: { "content-type": kept.type, "x-content-type-options": "nosniff", "referrer-policy": "same-origin" } });
  }
})();
