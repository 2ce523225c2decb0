// Accounts in the browser: forms go over HTTP, since a WebSocket can't set a cookie.
//
// - Before anybody becomes somebody else, what was typed is saved as who typed it: in this tab, and in the
//   browser's other tabs, which are asked.
// - Other tabs hear of it and say so. So does a page that the server let go of (`data-actor` has changed).
(() => {
  "use strict";
  if (window.accounts) return;

  const SAVE_WITHIN = 3000, HEAR_WITHIN = 2500, KNOWN_WITHIN = 2000, SOON = 500, REFRESH_EVERY = 3600_000;
  const WHY = {
    "signed-in": ["You signed in", "That was in another tab. This page still shows what was there before."],
    "signed-up": ["You signed up", "That was in another tab. This page is yours again once it is loaded anew."],
    "signed-out": ["You signed out", "That was in another tab. What was typed here before is saved."],
    deleted: ["Deleted for good", "All of it was deleted in another tab."],
    gone: ["You were signed out", "This session has ended, maybe from another browser."],
  };
  const bus = "BroadcastChannel" in window ? new BroadcastChannel("workbench-accounts") : null;
  const tab = crypto.getRandomValues(new Uint32Array(2)).join("-");
  let isLeaving = false; // this tab is the one that changes who one is

  const root = () => document.getElementById("persistence-root");
  const unsaved = () => window.persistence?.unconfirmed.length || 0;
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

  // In development the server has a port of its own.
  function endpoint(path) {
    const backend = root()?.dataset.backend;
    if (!backend) return path;
    const url = new URL(path, backend);
    if (["localhost", "0.0.0.0", "127.0.0.1", "::", "[::]"].includes(url.hostname)) url.hostname = location.hostname;
    return url.href;
  }

  async function ask(path, { method = "POST", body = {} } = {}) {
    const response = await fetch(endpoint(path), {
      method, credentials: "include", headers: { "content-type": "application/json", accept: "application/json" },
      body: method === "GET" ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    let answer = {};
    try { answer = text ? JSON.parse(text) : {}; } catch { /* a proxy's own page */ }
    return { ok: response.ok, status: response.status, answer };
  }

  // --- saving first -----------------------------------------------------------------------------------

  async function saveHere() {
    document.activeElement?.blur?.();
    for (const end = Date.now() + SAVE_WITHIN; unsaved() && Date.now() < end; ) await sleep(40);
    return unsaved();
  }

  // How many other tabs there are: each holds a lock of the library's (outbox.js). Where none can tell, those that answer soon.
  async function othersOpen() {
    if (!bus) return 0;
    if (!navigator.locks) { await sleep(SOON); return 0; }
    const { held } = await navigator.locks.query();
    return held.filter(({ name }) => name.startsWith("persistence-page:")).length - 1;
  }

  // How many edits are left unsaved in this tab and in those that answer.
  async function saveEverywhere() {
    const left = new Map();
    const listen = ({ data }) => {
      if (data.answers === tab) left.set(data.from, data.unsaved);
    };
    bus?.addEventListener("message", listen);
    bus?.postMessage({ save: tab });
    const others = await othersOpen(), heardUntil = Date.now() + HEAR_WITHIN, here = await saveHere();
    while (left.size < others && Date.now() < heardUntil) await sleep(40);
    for (const end = Date.now() + SAVE_WITHIN; [...left.values()].includes(-1) && Date.now() < end; ) await sleep(40);
    bus?.removeEventListener("message", listen);
    return here + [...left.values()].reduce((sum, count) => sum + Math.max(0, count), 0);
  }

  bus?.addEventListener("message", async ({ data }) => {
    if (data.save) {
      const answer = (count) => bus.postMessage({ answers: data.save, from: tab, unsaved: count });
      answer(-1); // still at it
      answer(await saveHere());
    } else if (data.changed) {
      sayChanged(data.changed);
    }
  });

  async function maySignOut() {
    const count = await saveEverywhere();
    const dialog = document.getElementById("unsaved");
    if (!count || !dialog) return true;
    dialog.querySelector("[data-unsaved-text]").textContent =
      `${count} ${count === 1 ? "edit waits" : "edits wait"} to be saved, here or in another tab. Kept on this device, nobody else can see or send them, and they are saved when you sign in here again.`;
    dialog.returnValue = "stay";
    dialog.showModal();
    await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
    return dialog.returnValue === "stay" ? false : dialog.returnValue;
  }

  // A shared computer: what is kept in this browser goes with who signs out.
  const isToRemove = () => Boolean(document.querySelector("[data-remove-kept]:checked"));

  // --- somebody else --------------------------------------------------------------------------------

  function sayChanged(why) {
    const dialog = document.getElementById("who-changed");
    const isAsked = document.getElementById("sign-in-again")?.open || window.accounts.again?.ask(); // that dialog says it
    if (isLeaving || !dialog || dialog.open || isAsked) return;
    const [title, text] = WHY[why] || WHY.gone;
    dialog.querySelector("h2").textContent = title;
    dialog.querySelector("[data-why]").textContent = text;
    dialog.showModal();
  }

  let actor = null;
  function watchActor() {
    const at = root();
    if (!at || at.dataset.actor === undefined) return;
    if (actor === null) {
      if (at.dataset.hydrated === "true" && at.dataset.actor) actor = at.dataset.actor;
    } else if (at.dataset.actor !== actor) {
      setTimeout(() => sayChanged("gone"), KNOWN_WITHIN); // another tab may know better why
    }
  }

  document.addEventListener("click", (event) => {
    const choice = event.target.closest?.("[data-go-on]");
    if (choice?.dataset.goOn) location.assign(choice.dataset.goOn);
    else if (choice) location.reload();
  });
  document.addEventListener("cancel", (event) => {
    if (event.target.id === "who-changed") event.preventDefault(); // there is no going back to who one was
  }, true);

  async function signOut(button) {
    isLeaving = true;
    button.disabled = true;
    try {
      const how = await maySignOut();
      if (how) {
        const { ok, answer } = await ask("/auth/sign-out");
        if (!ok) throw new Error(answer.detail);
        let isRemoved = true;
        if (how === "remove" || (how === true && isToRemove())) isRemoved = await window.persistence.clear(); else await window.persistence.seal();
        bus?.postMessage({ changed: "signed-out" });
        window.accounts.again?.forget();
        await window.persistence.offline?.forget(); // what was kept for offline was theirs
        if (!isRemoved) throw new Error("Signed out. What wasn’t saved may still be in this browser: its storage didn’t answer. Remove this site’s data in the browser’s settings.");
        location.assign("/");
        return;
      }
    } catch (error) {
      button.title = error.message || "Not signed out: no answer from the server. Try again.";
      button.insertAdjacentText("afterend", button.title);
    }
    isLeaving = false;
    button.disabled = false;
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-sign-out]");
    if (button) signOut(button);
  });

  // --- forms -------------------------------------------------------------------------------------------

  const noteOf = (control) => document.getElementById(`${control.id}-error`);

  function complain(control, text) {
    control.setAttribute("aria-invalid", text ? "true" : "false");
    const note = noteOf(control);
    if (note && note.textContent !== text) note.textContent = text;
  }

  function show(form, problem) {
    const controls = [...form.querySelectorAll("input[id]")];
    const wrong = new Map((problem.errors || []).map(({ field, detail }) => [field, detail]));
    for (const control of controls) complain(control, wrong.get(control.name) || "");
    const isBeside = controls.some((control) => wrong.has(control.name));
    form.querySelector(".form-problem").textContent = isBeside ? "" : problem.detail || "That didn’t work. Try again.";
    controls.find((control) => wrong.has(control.name))?.focus();
  }

  function missing(form) {
    const errors = [...form.querySelectorAll("input[id][required]")]
      .filter((control) => !control.value)
      .map((control) => ({ field: control.name, detail: `${labelOf(control)} is missing.` }));
    return errors.length ? { errors } : null;
  }
  const labelOf = (control) => control.labels?.[0]?.textContent || control.name;

  function bodyOf(form) {
    const controls = [...form.querySelectorAll("input[id][name]:not([readonly])")];
    const body = Object.fromEntries(controls.map((control) => [control.name, control.value]));
    if (form.dataset.auth === "/auth/reset") body.token = location.pathname.split("/").filter(Boolean).pop();
    return body;
  }

  async function submit(form) {
    const button = form.querySelector(".form-submit");
    if (button.disabled) return;
    form.querySelector(".form-done").textContent = "";
    const problem = missing(form);
    if (problem) return show(form, problem);
    button.disabled = true;
    isLeaving = Boolean(form.dataset.tells);
    try {
      if (form.dataset.tells) await saveEverywhere();
      const { ok, answer } = await ask(form.dataset.auth, { method: form.dataset.method, body: bodyOf(form) });
      if (!ok) return show(form, answer);
      show(form, { detail: " " });
      await done(form, answer);
    } catch {
      show(form, { detail: "No answer from the server. Nothing was changed as far as this page knows; try again." });
    } finally {
      button.disabled = false;
      if (!form.dataset.left) isLeaving = false;
    }
  }

  async function done(form, answer) {
    const { done: where, tells } = form.dataset;
    if (where === "again") return window.accounts.again.signedIn(answer.user);
    form.reset();
    if (!where.startsWith("/")) {
      form.querySelector(".form-done").textContent = where;
      return;
    }
    form.dataset.left = "true";
    if (tells) {
      bus?.postMessage({ changed: tells });
      await window.persistence.offline?.forget();
    }
    location.assign(answer.guest_work ? "/bring" : where);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("form[data-auth]");
    if (!form) return;
    event.preventDefault();
    submit(form);
  }, true);

  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-auth]");
    if (form && event.target.getAttribute("aria-invalid") === "true") complain(event.target, "");
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-reveal]");
    const control = button && document.getElementById(button.dataset.reveal);
    if (control) {
      const isShown = control.type === "text";
      control.type = isShown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!isShown));
      button.title = isShown ? "Show" : "Hide";
    }
    if (event.target.closest?.("[data-export]")) location.assign(endpoint("/auth/export")); // a file: the page stays
  });

  // --- the rest ------------------------------------------------------------------------------------------

  // The cookie is exchanged for a new one now and then; the server forgives two tabs at once.
  async function refresh() {
    if (!document.querySelector("[data-who=account]") || document.visibilityState === "hidden" || isLeaving) return;
    try {
      if (Date.now() - Number(localStorage.getItem("workbench-refreshed") || 0) < REFRESH_EVERY) return;
      localStorage.setItem("workbench-refreshed", String(Date.now()));
    } catch { return; } // storage is blocked: the cookie lasts as it is
    const { status } = await ask("/auth/refresh").catch(() => ({}));
    if (status === 401) sayChanged("gone");
  }
  setInterval(refresh, 60_000);
  document.addEventListener("visibilitychange", refresh);

  function tellTimes() {
    for (const time of document.querySelectorAll("time[data-epoch]")) {
      const at = new Date(Number(time.dataset.epoch) * 1000);
      const text = at.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
      if (time.textContent === text || Number.isNaN(at.getTime())) continue;
      time.textContent = text;
      time.dateTime = at.toISOString();
      time.title = at.toLocaleString();
    }
  }

  // Who one is known: the page may ask for a guest again when that is over (`workbench.js`).
  function forgetAsking() {
    if (document.querySelector("[data-who]")) try { sessionStorage.removeItem("workbench-guest"); } catch { /* blocked */ }
  }

  new MutationObserver(() => { watchActor(); tellTimes(); forgetAsking(); }).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["data-actor", "data-hydrated", "data-epoch"],
  });

  window.accounts = { saveEverywhere, refresh };
})();
