// The manners of panels that need no server: menus and popovers in their place, search, groups that stay as they
// were left on this device, dialogs, what the menus' items do with a field's control, times in the browser's own time.
(() => {
  "use strict";
  if (window.persistence.announce) return;

  const EDGE = 8, GROUPS = "persistence-groups";
  const invokers = new WeakMap(); // popover → the button that opened it

  // --- places -------------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[popovertarget]");
    const popover = opener && document.getElementById(opener.getAttribute("popovertarget"));
    if (popover) invokers.set(popover, opener);
    if (event.target.closest?.("[data-persistence-explain]")) expectStory(); // before it is asked for: the answer may be quick
  }, true);

  function place(popover) {
    const opener = invokers.get(popover);
    if (!opener) return;
    const from = opener.getBoundingClientRect(), own = popover.getBoundingClientRect();
    const isRtl = getComputedStyle(opener).direction === "rtl";
    const wide = document.documentElement.clientWidth, high = innerHeight;
    const left = isRtl ? from.left : from.right - own.width;
    const below = from.bottom + 4, above = from.top - own.height - 4;
    const top = below + own.height <= high - EDGE || above < EDGE ? below : above;
    popover.style.left = `${Math.max(EDGE, Math.min(left, wide - own.width - EDGE))}px`;
    popover.style.top = `${Math.max(EDGE, Math.min(top, high - own.height - EDGE))}px`;
  }

  document.addEventListener("toggle", (event) => {
    const popover = event.target;
    if (popover.matches?.("details[data-persistence-group]")) return remember(popover);
    if (!popover.matches?.(".persistence-menu, .persistence-popover")) return;
    const isOpen = event.newState === "open";
    invokers.get(popover)?.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) place(popover);
    popover.toggleAttribute("data-placed", isOpen); // not seen before it is where it belongs
    if (!isOpen) return;
    if (popover.matches(".persistence-menu")) itemsOf(popover)[0]?.focus();
  }, true);
  const placeAll = () => { for (const each of document.querySelectorAll(".persistence-menu:popover-open, .persistence-popover:popover-open")) place(each); };
  addEventListener("resize", placeAll);
  addEventListener("scroll", placeAll, true);

  // --- menus --------------------------------------------------------------------------------------------------

  const itemsOf = (menu) => [...menu.querySelectorAll("[role^=menuitem]:not([hidden]):not(:disabled)")];

  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.(".persistence-menu");
    if (!menu) return;
    const items = itemsOf(menu), at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) { event.preventDefault(); items.at(to % items.length)?.focus(); }
    else if (event.key === "Tab") menu.hidePopover();
    else if (event.key.length === 1 && /\S/.test(event.key)) {
      const next = [...items.slice(at + 1), ...items].find((each) => each.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()));
      next?.focus();
    }
  });

  document.addEventListener("click", (event) => {
    const node = event.target.closest?.("[role^=menuitem], [data-persistence-act], [data-persistence-dialog], [data-persistence-close]");
    if (!node) return;
    if (node.dataset.persistenceAct) act(node);
    if (node.dataset.persistenceDialog) document.getElementById(node.dataset.persistenceDialog)?.showModal();
    if ("persistenceClose" in node.dataset) node.closest("dialog")?.close();
    const menu = node.closest(".persistence-menu");
    if (menu?.matches(":popover-open")) menu.hidePopover();
    if (menu && node.hasAttribute("data-persistence-explain")) { // after its menu, which would take it along
      const popover = document.getElementById("persistence-explain");
      invokers.set(popover, invokers.get(menu));
      popover.showPopover();
    }
  });
  document.addEventListener("click", (event) => { if (event.target.matches?.("dialog.persistence-dialog")) event.target.close(); }); // beside it

  function act(node) {
    const field = node.closest("[data-persistence-field]"), kind = node.dataset.persistenceAct;
    const control = field?.querySelector("[data-persistence]");
    if (!control) return;
    window.persistence.act(kind, control);
    const words = { reset: "Reset", pin: "Pinned", block: "Blocked", discard: "Discarded" }[kind];
    if (words) announce(`${words}: ${field.querySelector(".persistence-label")?.firstChild?.textContent || control.dataset.persistence}`);
    if (!node.closest(".persistence-menu")) (control.matches("input, select, textarea") ? control : control.querySelector("input, select, textarea, button"))?.focus();
  }

  // --- explanations -------------------------------------------------------------------------------------------

  // What was told before is hidden until the answer to this question is there.
  function expectStory() {
    const popover = document.getElementById("persistence-explain");
    popover.dataset.told = popover.querySelector("[data-story]")?.dataset.story || "";
    popover.toggleAttribute("data-waiting", true);
  }

  function hearStory() {
    const popover = document.getElementById("persistence-explain");
    if (!popover?.hasAttribute("data-waiting") || popover.querySelector("[data-story]")?.dataset.story === popover.dataset.told) return;
    popover.removeAttribute("data-waiting");
    requestAnimationFrame(() => place(popover));
    announce([...popover.querySelectorAll("h2, h2 + p, .persistence-story-reset")].map((each) => each.textContent).join(". "));
  }

  function tellTimes() {
    for (const node of document.querySelectorAll("time[data-persistence-at]")) {
      const at = new Date(Number(node.dataset.persistenceAt) * 1000);
      const isToday = at.toDateString() === new Date().toDateString();
      const words = at.toLocaleString([], { ...(isToday ? {} : { dateStyle: "medium" }), timeStyle: "short" });
      if (node.textContent !== words) { node.textContent = words; node.dateTime = at.toISOString(); node.title = at.toLocaleString(); }
    }
  }

  // --- search -------------------------------------------------------------------------------------------------

  function filter(input) {
    const panel = input.closest("[data-persistence-panel]"), words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of panel.querySelectorAll("[data-persistence-field]")) {
      const isFound = words.every((word) => row.dataset.search.includes(word));
      row.toggleAttribute("data-filtered", !isFound);
      if (isFound && !row.hidden) count += 1;
    }
    for (const group of panel.querySelectorAll("[data-persistence-group]")) {
      const isEmpty = !group.querySelector("[data-persistence-field]:not([data-filtered]):not([hidden])");
      group.toggleAttribute("data-filtered", Boolean(words.length) && isEmpty);
      if (words.length) group.open = true; else recall(group);
    }
    panel.toggleAttribute("data-searching", Boolean(words.length));
    const said = !words.length ? "" : count === 0 ? `No setting matches “${input.value.trim()}”` : count === 1 ? "1 setting" : `${count} settings`;
    input.parentElement.querySelector("[role=status]").textContent = said;
  }

  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-persistence-search]")) filter(event.target); });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches?.("input, textarea, select, [contenteditable]:not([contenteditable=false])");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const near = event.target.closest?.("[data-persistence-panel]") || document;
      const search = near.querySelector("[data-persistence-search]") || document.querySelector("[data-persistence-search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    } else if (event.key === "Escape" && event.target.matches?.("[data-persistence-search]") && event.target.value) {
      event.preventDefault();
      event.target.value = "";
      filter(event.target);
    }
  });

  // --- groups, as they were left on this device ----------------------------------------------------------------

  function groups() {
    try { return JSON.parse(localStorage.getItem(GROUPS)) || {}; } catch { return {}; }
  }

  function remember(group) {
    if (group.closest("[data-searching]") || !group.dataset.recalled) return;
    try { localStorage.setItem(GROUPS, JSON.stringify({ ...groups(), [group.dataset.persistenceGroup]: group.open })); } catch { /* blocked: as long as the page */ }
  }

  function recall(group) {
    const open = groups()[group.dataset.persistenceGroup];
    if (open !== undefined && group.open !== open) group.open = open;
    group.dataset.recalled = "true";
  }

  // --- for all -------------------------------------------------------------------------------------------------

  // Read aloud, politely.
  function announce(words) {
    const region = document.getElementById("persistence-announcer");
    if (region) region.textContent = region.textContent === words ? `${words}\u00a0` : words;
  }

  function look() {
    if (document.getElementById("persistence-root")?.dataset.hydrated !== "true") return;
    for (const group of document.querySelectorAll("[data-persistence-group]:not([data-recalled])")) recall(group);
    hearStory();
    tellTimes();
  }
  new MutationObserver(look).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["data-hydrated", "data-story", "data-persistence-at", "data-persistence-group"],
  });
  window.persistence.announce = announce;
})();
