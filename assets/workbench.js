// Small manners of the page that need no server: menus, the sidebar on a phone, Escape and Enter while naming.
(() => {
  if (window.workbench) return;

  // A page that came without a cookie (from a cache, or from the development server) asks for one, once.
  window.workbench = {
    async becomeGuest(backend) {
      if (window.persistence?.unconfirmed.some((each) => each.actor)) return "waits"; // for who made them to sign in again: the page stays
      if (sessionStorage.getItem("workbench-guest")) {
        sessionStorage.removeItem("workbench-guest");
        return "blocked";
      }
      sessionStorage.setItem("workbench-guest", "asked");
      await fetch(backend + "/auth/guest", { method: "POST", credentials: "include", mode: "no-cors" });
      location.reload();
      return "asked";
    },
  };
  const html = document.documentElement;

  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  };

  const setSidebar = (open) => {
    html.toggleAttribute("data-sidebar-open", open);
    const toggle = document.querySelector("[data-sidebar=toggle]");
    toggle?.setAttribute("aria-expanded", String(open));
    if (open) document.querySelector("#sidebar a")?.focus();
  };

  document.addEventListener("click", (event) => {
    const menu = event.target.closest("details.menu");
    closeMenus(menu);
    if (event.target.closest(".menu-items, .picker-item")) menu.open = false;
    const action = event.target.closest("[data-sidebar]")?.dataset.sidebar;
    if (action) setSidebar(action === "toggle" && !html.hasAttribute("data-sidebar-open"));
    else if (event.target.closest("#sidebar a")) setSidebar(false);
  });

  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.picker[open]")) event.target.querySelector("input")?.focus();
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const field = event.target.closest?.("[data-rename]");
    if (field && (event.key === "Enter" || event.key === "Escape")) {
      if (event.key === "Escape") field.value = field.defaultValue;
      event.preventDefault();
      field.blur(); // leaving it is what renames
      return;
    }
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.menu[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    } else if (html.hasAttribute("data-sidebar-open")) {
      setSidebar(false);
      document.querySelector("[data-sidebar=toggle]")?.focus();
    } else if (document.querySelector("[data-close-drawer]") && !document.querySelector("dialog[open], :popover-open")) {
      document.querySelector("[data-close-drawer]").click();
      document.querySelector("[aria-controls=history]")?.focus();
    } else {
      event.target.closest?.("form")?.querySelector("[data-cancel]")?.click();
    }
  });

  // The list of frame positions: its cells are gathered into the one control that is bound to the setting.
  document.addEventListener("input", (event) => {
    const list = event.target.closest?.("[data-frames]");
    if (!list || event.target.matches("[data-persistence]")) return;
    const rows = [...list.querySelectorAll("li")].map((row) => {
      const [name, frame] = row.querySelectorAll("input");
      return [name.value, frame.value.trim() === "" ? NaN : Number(frame.value)];
    });
    if (!rows.every(([, frame]) => Number.isInteger(frame))) return; // not a number yet
    const bound = list.querySelector("[data-persistence]");
    bound.value = JSON.stringify(rows);
    bound.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // And the other way: the cells show what the bound control has, once no edit of theirs is under way any more.
  const SOON = 100; // ms
  const showFrames = (bound) => {
    if (!bound.isConnected) return;
    const target = bound.dataset.persistenceTarget, field = bound.dataset.persistence;
    const isOurs = (edit) => edit.field === field && JSON.stringify(edit.target) === JSON.stringify(JSON.parse(target));
    if (!target) return;
    if (window.persistence?.unconfirmed.some(isOurs)) {
      setTimeout(showFrames, SOON, bound);
      return;
    }
    const rows = JSON.parse(bound.dataset.persistenceValue || "[]");
    bound.closest("[data-frames]").querySelectorAll("li").forEach((row, index) => {
      row.querySelectorAll("input").forEach((cell, part) => {
        const text = String(rows[index]?.[part] ?? "");
        if (cell !== document.activeElement && cell.value !== text) cell.value = text;
      });
    });
  };
  new MutationObserver((changes) => {
    const lists = new Set(changes.map((change) => change.target.closest?.("[data-frames]")));
    for (const list of lists) {
      const bound = list?.querySelector("[data-persistence]");
      if (bound) showFrames(bound);
    }
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-persistence-value"] });

  // Shots are put into another order by dragging their cards; by keyboard and finger the menu does it.
  let dragged = null, drop = null;
  const cardAt = (event) => dragged && event.target.closest?.("[data-shot]");
  const markDrop = (card, side) => {
    document.querySelectorAll("[data-drop]").forEach((each) => each !== card && each.removeAttribute("data-drop"));
    if (card && card.dataset.drop !== side) card.dataset.drop = side;
  };
  window.workbench.dropped = () => drop;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-shot]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.querySelector(".card-name")?.textContent || "");
    dragged.setAttribute("data-dragged", "");
  });
  document.addEventListener("dragover", (event) => {
    const card = cardAt(event);
    if (!card) return;
    event.preventDefault();
    const box = card.getBoundingClientRect();
    markDrop(card === dragged ? null : card, event.clientX < box.left + box.width / 2 ? "before" : "after");
  });
  document.addEventListener("drop", (event) => {
    const card = cardAt(event);
    if (!card) return;
    event.preventDefault();
    const others = [...card.parentElement.children].filter((each) => each !== dragged);
    if (card === dragged) return;
    drop = [dragged.dataset.shot, others.indexOf(card) + (card.dataset.drop === "after" ? 2 : 1)];
    document.getElementById("shot-dropped")?.click();
  });
  document.addEventListener("dragend", () => {
    dragged?.removeAttribute("data-dragged");
    dragged = null;
    markDrop(null);
  });

  // One of the first steps is a look into a value's story; the button of the history tells it by itself.
  document.addEventListener("toggle", (event) => {
    if (event.newState === "open" && event.target.id === "persistence-explain") document.getElementById("looked")?.click();
  }, true);

  // The coach points at what a step is about, which may be folded away or further down.
  document.addEventListener("click", (event) => {
    const selector = event.target.closest("[data-coach-show]")?.dataset.coachShow;
    const found = selector && [...document.querySelectorAll(selector)].find((each) => each.checkVisibility());
    if (!found) return;
    setSidebar(false);
    found.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    found.focus({ preventScroll: true });
    found.classList.add("is-shown");
    setTimeout(() => found.classList.remove("is-shown"), 2400);
  });

  // What is said of a lost connection is said of where edits are kept meanwhile.
  document.addEventListener("persistence", () => html.toggleAttribute("data-keeps-nothing", Boolean(window.persistence?.trouble)));

  document.addEventListener("focusin", (event) => {
    const field = event.target;
    if (!field.matches?.("[data-rename]") || field.dataset.rename) return; // React gives focus back to one that it moved
    field.dataset.rename = "begun";
    field.select();
  });
})();
