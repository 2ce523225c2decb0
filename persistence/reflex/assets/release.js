// A page that is older than the app it talks to. After each lost connection it looks whether the server gives out
// another build of the app than the one that runs here (its manifest's hash is in every page). If so, a page that
// nobody looks at reloads, and any other offers to: what was typed is in the browser's outbox, and comes along.
(() => {
  "use strict";
  if (window.persistence.release) return;

  const MANIFEST = /\/assets\/manifest-([\w-]+)\.js/;
  let isOld = false, wasAway = false;

  const running = () => window.__reactRouterManifest?.version || ""; // none in development, where pages follow by themselves
  const isAway = () => document.getElementById("persistence-root")?.dataset.offline === "true";

  async function look() {
    if (isOld || !running()) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store", credentials: "include", headers: { accept: "text/html" } });
      const [, served] = (answer.ok && (await answer.text()).match(MANIFEST)) || [];
      if (served && served !== running()) { isOld = true; follow(); }
    } catch { /* away again: after the next return */ }
  }

  // Nothing may be lost by it: not what is half typed, nor what only this page holds.
  const isFree = () => !window.persistence.unkept.length && !window.persistence.drafts.length;

  function follow() {
    if (!isOld) return;
    if (document.visibilityState === "hidden" && isFree()) { location.reload(); return; }
    if (document.getElementById("persistence-release")) return;
    const note = document.createElement("div");
    note.id = "persistence-release";
    note.className = "persistence-release";
    note.setAttribute("role", "status");
    const text = document.createElement("span");
    text.textContent = "This app was updated. Reload to go on with the new version; your changes are kept.";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Reload";
    button.addEventListener("click", () => location.reload());
    note.append(text, button);
    document.body.append(note);
  }

  function observe() {
    const away = isAway();
    if (wasAway && !away) look();
    wasAway = away;
  }

  new MutationObserver(observe).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-offline"] });
  document.addEventListener("visibilitychange", follow);
  window.persistence.release = { look };
})();
