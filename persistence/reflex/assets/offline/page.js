// In a page that the worker serves from the shelf: no app runs, bound controls go on recording edits in the outbox.
//
// - A bar says since when, how many edits wait, and that they are kept.
// - It looks for the server, at once when the network is back or the page is seen, else ever more seldom; never
//   while it is hidden. Then it loads the live page, which sends what waits: not in the middle of a word.
(() => {
  "use strict";
  const about = window.persistenceOffline, shelf = persistenceShelf;
  const PAUSE = 2000, FIRST = 1000, LONGEST = 15000, ANSWER = 5000, AWAY = [502, 503, 504];
  const PLACE = "persistence-offline-place", TRIES = "persistence-offline-tries";
  let isBack = false, isLooking = false, wait = FIRST, timer = 0, typed = 0, isComposing = false, isHeld = false, isLeaving = false, bar = null;

  // --- what is said --------------------------------------------------------------------------------------------

  function timeOf(at) {
    const time = new Date(at), isToday = time.toDateString() === new Date().toDateString();
    return time.toLocaleString([], isToday ? { hour: "2-digit", minute: "2-digit" } : { dateStyle: "medium", timeStyle: "short" });
  }

  const waiting = () => window.persistence?.waiting.length || 0; // as the status line counts

  function words() {
    const count = waiting();
    if (about.kind === "list") return isBack ? "The connection is back." : "Offline. These pages can be opened.";
    if (isBack) return count ? `The connection is back. Your changes are saved as soon as you pause${counted(count)}` : "The connection is back. This page loads as soon as you pause.";
    if (about.kind === "away") return "Offline";
    const was = `Offline. This is how it was at ${timeOf(about.at)}.`;
    if (window.persistenceOutbox.trouble) return `${was} This browser keeps no changes now: what you type lasts as long as this page.`;
    return about.isEditable || count ? `${was} Your changes are kept, and saved when the connection is back${counted(count)}` : was;
  }
  const counted = (count) => (count ? ` (${count === 1 ? "1 change waits" : `${count} changes wait`}).` : ".");

  function say() {
    if (!bar) return;
    const [text, button] = [bar.querySelector("[role=status]"), bar.querySelector("button")];
    if (text.textContent !== words()) text.textContent = words();
    if (button.hidden === isBack) button.hidden = !isBack;
    bar.dataset.state = isBack ? "back" : "away";
    const room = `${bar.offsetHeight + 16}px`; // nothing lies under the bar for good
    if (document.body.style.paddingBlockEnd !== room) document.body.style.paddingBlockEnd = room;
  }

  function build() {
    bar = document.createElement("aside");
    bar.id = "persistence-offline-bar";
    bar.setAttribute("aria-label", "Connection");
    const text = document.createElement("span"), list = document.createElement("a"), button = document.createElement("button");
    text.setAttribute("role", "status");
    list.href = `${about.base}persistence-offline/`;
    list.textContent = "Pages kept here";
    list.hidden = about.kind !== "page";
    button.type = "button";
    button.hidden = true;
    button.textContent = "Load now";
    button.addEventListener("click", load);
    bar.append(text, list, button);
    document.body.append(bar);
    for (const time of document.querySelectorAll(".persistence-away time")) time.textContent = timeOf(Number(time.dataset.at));
    say();
  }

  // Links to pages that aren't here look it; they lead to the list.
  async function markLinks() {
    const kept = new Set((await shelf.list().catch(() => [])).map(({ path }) => path));
    for (const link of document.querySelectorAll("a[href]")) {
      const isOurs = link.origin === location.origin && !link.pathname.startsWith(`${about.base}persistence-offline/`) && !link.getAttribute("href").startsWith("#");
      if (isOurs && !kept.has(shelf.pathOf(link.href))) { link.dataset.offlineInert = ""; link.title = "Not kept in this browser"; }
    }
  }

  // What earlier pages left is shown by controls.js, where the control is there already; single keys of a dict by us.
  const early = [];
  document.addEventListener("persistence-adopted", ({ detail }) => { if (document.readyState === "loading") early.push(detail); else showKeys(detail); });
  const showEarly = () => { for (const detail of early.splice(0)) document.dispatchEvent(new CustomEvent("persistence-adopted", { detail })); };

  function showKeys({ kind, target, field, value }) {
    if (kind !== "keys") return;
    for (const control of document.querySelectorAll(`[data-persistence="${CSS.escape(field)}"]`)) {
      if (JSON.stringify(JSON.parse(control.dataset.persistenceTarget || "0")) !== JSON.stringify(target)) continue;
      const dict = { ...JSON.parse(control.dataset.persistenceValue || "{}"), ...value.set };
      for (const key of value.remove || []) delete dict[key];
      control.dataset.persistenceValue = control.value = JSON.stringify(dict);
    }
  }

  // --- the way back -------------------------------------------------------------------------------------------

  async function look() {
    if (isLooking || isBack || document.visibilityState === "hidden") return;
    isLooking = true;
    clearTimeout(timer);
    try {
      const answer = await fetch(about.kind === "list" ? about.base : location.href, { method: "HEAD", cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(ANSWER) });
      isBack = !AWAY.includes(answer.status);
    } catch { /* not yet */ }
    isLooking = false;
    if (isBack) { sayBack(); leaveWhenQuiet(); return; }
    wait = Math.min(LONGEST, wait * 1.5);
    timer = setTimeout(look, wait * (0.5 + Math.random() / 2));
  }

  // What isn't kept in this browser goes out from here (operations.js): no page could follow with it.
  function sayBack() {
    about.isBack = true;
    const root = document.getElementById("persistence-root");
    if (root) root.dataset.offline = "false"; // the status line looks there
    say();
  }

  function isQuiet() {
    if (isComposing || isHeld || Date.now() - typed < PAUSE) return false;
    return !window.persistence?.drafts.length && !window.persistence?.unkept.length;
  }

  function leaveWhenQuiet() {
    if (about.kind === "list") return; // it stays: this is no page of the app
    if (isQuiet() && mayTry()) load(); else setTimeout(leaveWhenQuiet, 100);
  }

  // A server that answers and yet doesn't bring the page: ever more seldom.
  function mayTry() {
    const [count, at] = tries();
    return Date.now() - at > (count ? Math.min(LONGEST, FIRST * 2 ** count) : 0);
  }
  function tries() {
    try { const [count, at] = JSON.parse(sessionStorage.getItem(TRIES)) || [0, 0]; return Date.now() - at > 60_000 ? [0, 0] : [count, at]; } catch { return [0, 0]; }
  }

  function load() {
    if (isLeaving) return;
    isLeaving = true;
    try {
      sessionStorage.setItem(TRIES, JSON.stringify([tries()[0] + 1, Date.now()]));
      sessionStorage.setItem(PLACE, JSON.stringify(place()));
    } catch { /* blocked: it begins at the top */ }
    if (about.kind === "list") location.assign(about.base); else location.reload();
  }

  // Where the user was: offline.js goes there in the live page.
  function place() {
    const active = document.activeElement, control = active?.closest?.("[data-persistence]");
    let selection = null;
    try { selection = [active.selectionStart, active.selectionEnd]; } catch { /* not every type has one */ }
    return {
      path: shelf.pathOf(location.href), at: Date.now(), scroll: [scrollX, scrollY], id: active?.id || "", selection,
      control: control === active && control ? [control.dataset.persistenceTarget, control.dataset.persistence] : null,
    };
  }

  const noteTyping = () => { typed = Date.now(); };
  for (const name of ["input", "keydown"]) addEventListener(name, noteTyping, true);
  addEventListener("compositionstart", () => { isComposing = true; }, true);
  addEventListener("compositionend", () => { isComposing = false; noteTyping(); }, true);
  addEventListener("pointerdown", () => { isHeld = true; noteTyping(); }, true);
  for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, () => { isHeld = false; }, true);
  addEventListener("submit", (event) => event.preventDefault(), true);
  const lookNow = () => { wait = FIRST; look(); };
  addEventListener("online", lookNow);
  document.addEventListener("visibilitychange", lookNow);
  document.addEventListener("persistence", say);
  addEventListener("resize", say);
  if ("BroadcastChannel" in window) new BroadcastChannel("persistence-offline").addEventListener("message", ({ data }) => { if (data === about.owner) location.reload(); }); // signed out in another tab
  document.addEventListener("DOMContentLoaded", () => { showEarly(); build(); markLinks(); timer = setTimeout(look, FIRST); });
})();
