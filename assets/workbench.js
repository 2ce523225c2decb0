// Small manners of the page that need no server: menus, the sidebar on a phone, Escape and Enter while naming.
(() => {
  if (window.__workbench) return;
  window.__workbench = true;
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
    if (event.target.closest(".menu-items")) menu.open = false;
    const action = event.target.closest("[data-sidebar]")?.dataset.sidebar;
    if (action) setSidebar(action === "toggle" && !html.hasAttribute("data-sidebar-open"));
    else if (event.target.closest("#sidebar a")) setSidebar(false);
  });

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
    } else {
      event.target.closest?.("form")?.querySelector("[data-cancel]")?.click();
    }
  });

  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("[data-rename]")) event.target.select();
  });
})();
