// Controls for values of several parts: tags, lists, dicts, records, JSON. Elements of our own, so that
// `controls.js` treats them like any other control: a `value` of JSON text, `input` and `change` events.
//
// - They build their inputs in the browser; the page's framework sees one element without children.
// - A new value from outside goes into the inputs that are there: focus and typing stay where they are.
// - What isn't a value yet (a number's empty cell) is kept as a draft, said, and never sent.
// - All that the mouse can do the keyboard can: Alt+↑/↓ moves a row, Enter adds one, Backspace goes to a tag.
(() => {
  "use strict";
  if (customElements.get("persistence-list")) return;

  const BLANK = { text: "", integer: 0, number: 0, boolean: false, date: "", time: "" };
  const TYPES = { integer: "number", number: "number", date: "date", time: "time" };

  function make(tag, props = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name in node && name !== "list") node[name] = value;
      else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }

  const icon = (name) => make("span", { className: "persistence-icon", "data-icon": name, "aria-hidden": "true" });
  const iconButton = (name, label, onclick) => make("button", { type: "button", className: "persistence-icon-button", title: label, "aria-label": label, onclick }, icon(name));
  const textButton = (label, onclick, name = "plus") => make("button", { type: "button", className: "persistence-button persistence-quiet", onclick }, icon(name), label);
  const blankOf = (shape) => (shape.optional ? null : shape.kind === "choice" ? shape.choices[0][0] : shape.kind === "row" ? blankRow(shape) : BLANK[shape.kind] ?? null);
  const blankRow = (shape) => (shape.byName ? Object.fromEntries(shape.parts.map(([name, , each]) => [name, blankOf(each)])) : shape.parts.map(([, , each]) => blankOf(each)));
  const same = (one, two) => JSON.stringify(one) === JSON.stringify(two);

  // One input for a scalar: `read()` is its value, or undefined for what is none; `write(value)` leaves the typed alone.
  function cell(shape, label, changed) {
    if (shape.kind === "choice") {
      const options = shape.choices.map(([value, words]) => make("option", { value: JSON.stringify(value) }, words));
      if (shape.optional) options.push(make("option", { value: "null" }, "Not set"));
      const node = make("select", { className: "persistence-input persistence-select", "aria-label": label, onchange: () => changed(true) }, ...options);
      return { node, read: () => JSON.parse(node.value || "null"), write: (value) => { node.value = JSON.stringify(value); } };
    }
    if (shape.kind === "boolean") {
      const node = make("input", { type: "checkbox", role: "switch", className: "persistence-switch", "aria-label": label, onchange: () => changed(true) });
      return { node, read: () => node.checked, write: (value) => { node.checked = Boolean(value); } };
    }
    const node = make("input", { type: TYPES[shape.kind] || "text", className: "persistence-input persistence-cell", "aria-label": label, autocomplete: "off", dir: "auto" });
    if (shape.kind === "integer") node.step = "1"; else if (shape.kind === "number" || shape.kind === "time") node.step = "any";
    node.dataset.kind = shape.kind;
    node.addEventListener("input", (event) => { if (!event.isComposing) changed(false); });
    node.addEventListener("compositionend", () => changed(false));
    node.addEventListener("change", () => changed(true));
    const read = () => {
      const text = node.value;
      if (TYPES[shape.kind] !== "number") return text === "" && (shape.optional || TYPES[shape.kind]) ? (shape.optional ? null : undefined) : text;
      if (text === "" && shape.optional && !node.validity.badInput) return null;
      const number = text.trim() === "" ? NaN : Number(text);
      return Number.isFinite(number) && (shape.kind !== "integer" || Number.isInteger(number)) ? number : undefined;
    };
    const write = (value) => {
      const text = value === null || value === undefined ? "" : String(value);
      if (node.value !== text && !(document.activeElement === node && same(read(), value))) node.value = text;
    };
    return { node, read, write };
  }

  class Editor extends HTMLElement {
    static observedAttributes = ["aria-disabled"];
    held = undefined; // the value that is shown; undefined before there is one
    base = undefined; // what came from outside last
    #draft = false;

    get shape() { return (this.known ||= JSON.parse(this.dataset.shape || "{}")); }
    get label() { return this.dataset.label || ""; }
    get disabled() { return this.getAttribute("aria-disabled") === "true"; }
    get value() { return this.isDraft || this.held === undefined ? "" : JSON.stringify(this.held); }
    set value(text) {
      const value = text ? JSON.parse(text) : null;
      this.base = value;
      if (!this.isDraft && same(value, this.held) && this.childElementCount) return;
      this.isDraft = false;
      this.held = value;
      this.show();
    }
    get isDraft() { return this.#draft; }
    set isDraft(value) {
      this.#draft = Boolean(value);
      this.toggleAttribute("data-draft", this.#draft);
      if (!value) this.complain("");
    }
    // For a dict whose keys are edited one by one: what differs from what came from outside.
    get changes() {
      const before = this.base || {}, after = this.held || {};
      const set = Object.fromEntries(Object.entries(after).filter(([key, value]) => !(key in before) || !same(before[key], value)));
      return { set, remove: Object.keys(before).filter((key) => !(key in after)) };
    }
    attributeChangedCallback() { for (const each of this.querySelectorAll("input, select, textarea, button")) each.disabled = this.disabled; }

    // An edit of the user's. `done`: nothing more will follow it at once.
    edited(value, done) {
      this.isDraft = value === undefined;
      if (value !== undefined) this.held = value;
      this.dispatchEvent(new Event("input", { bubbles: true }));
      if (done) this.dispatchEvent(new Event("change", { bubbles: true }));
    }
    complain(words) {
      if (!words && !this.problem) return;
      this.problem ||= make("p", { className: "persistence-draft" }, make("span", { role: "status" }), make("button", {
        type: "button", className: "persistence-button", onclick: () => { window.persistence.act("discard", this); this.querySelector("input, textarea, button")?.focus(); },
      }, "Discard"));
      if (this.problem.firstChild.textContent !== words) this.problem.firstChild.textContent = words;
      if (words) this.append(this.problem); else this.problem.remove();
    }
    show() {
      if (this.held === null) this.showNone(); else { if (this.isNone) { this.replaceChildren(); this.isNone = false; } this.build(); }
      this.attributeChangedCallback();
    }
    showNone() {
      this.isNone = true;
      this.forgetRows();
      this.replaceChildren(make("span", { className: "persistence-none" }, "Not set"), textButton("Set", () => { this.held = this.blank(); this.show(); this.edited(this.held, true); this.querySelector("input, textarea, button")?.focus(); }));
    }
    forgetRows() {}
    clearer() { return this.shape.optional ? textButton("Not set", () => { this.held = null; this.show(); this.edited(null, true); }, "remove") : ""; }
    announce(words) { window.persistence?.announce?.(words); }
  }

  // Rows of cells: of a list, a record (one row) and, with a key before them, of a dict.
  class Rows extends Editor {
    rows = [];
    forgetRows() { this.rows = []; }
    blank() { return []; }
    parts() { const item = this.shape.item; return item.kind === "row" ? item.parts : [["", this.label, item]]; }
    title(index) { return `${this.label} ${index + 1}`; }
    // A value of the shape's → its cells' values, and back.
    split(value) { const item = this.shape.item; return item.kind !== "row" ? [value] : item.byName ? item.parts.map(([name]) => value?.[name]) : value || []; }
    join(cells) { const item = this.shape.item; return item.kind !== "row" ? cells[0] : item.byName ? Object.fromEntries(item.parts.map(([name], at) => [name, cells[at]])) : cells; }

    build() {
      if (!this.body) {
        this.body = make("ol", { className: "persistence-list-rows" });
        this.foot = make("div", { className: "persistence-editor-foot" }, textButton("Add", () => this.add()), this.clearer());
      }
      if (!this.contains(this.body)) this.replaceChildren(this.head?.() || "", this.body, this.foot);
      const values = this.entries();
      while (this.rows.length > values.length) this.rows.pop().node.remove();
      values.forEach((value, index) => {
        const row = (this.rows[index] ||= this.makeRow(index));
        if (!this.body.contains(row.node)) this.body.append(row.node);
        this.fill(row, value);
      });
      this.foot.firstChild.hidden = this.shape.most !== null && this.shape.most !== undefined && values.length >= this.shape.most;
    }
    entries() { return this.held; }
    fill(row, value) { this.split(value).forEach((part, at) => row.cells[at]?.write(part)); }

    makeRow(index) {
      const row = { node: make("li", {}), cells: [] };
      row.grip = make("button", { type: "button", className: "persistence-grip", onkeydown: (event) => this.gripKey(event, row), onpointerdown: (event) => this.drag(event, row) }, icon("grip"));
      for (const [, , shape] of this.parts()) row.cells.push(cell(shape, "", (done) => this.changed(done)));
      row.end = iconButton("remove", "", () => this.remove(this.rows.indexOf(row)));
      row.node.append(row.grip, ...row.cells.map((each) => each.node), row.end);
      row.node.addEventListener("keydown", (event) => this.rowKey(event, row));
      this.nameRow(row, index);
      return row;
    }
    nameRow(row, index) {
      const title = this.title(index), parts = this.parts();
      row.grip.setAttribute("aria-label", `${title}: move with the arrow keys`);
      row.grip.title = "Drag, or move with the arrow keys";
      row.end.setAttribute("aria-label", row.end.title = `Remove ${title}`);
      parts.forEach(([, words], at) => row.cells[at].node.setAttribute("aria-label", parts.length > 1 ? `${words}, ${title}` : title));
    }
    read() {
      const values = this.rows.map((row) => row.cells.map((each) => each.read()));
      return values.some((cells) => cells.includes(undefined)) ? undefined : values.map((cells) => this.join(cells));
    }
    changed(done) {
      const value = this.read();
      this.edited(value, done && value !== undefined);
      if (value === undefined) this.complain(`${this.label}: not saved until every cell is filled in`);
    }
    add() {
      if (this.disabled) return;
      const row = this.makeRow(this.rows.length);
      this.split(blankOf(this.shape.item)).forEach((part, at) => row.cells[at].write(part));
      this.rows.push(row);
      this.body.append(row.node);
      this.changed(true);
      row.cells[0].node.focus();
      row.cells[0].node.select?.();
    }
    remove(index) {
      const values = this.rows.map((row) => row.cells.map((each) => each.read()));
      this.rows.splice(index, 1)[0].node.remove();
      values.splice(index, 1);
      this.rows.forEach((row, at) => this.nameRow(row, at));
      this.changed(true);
      (this.rows[Math.min(index, this.rows.length - 1)]?.node.querySelector(".persistence-icon-button") || this.foot.firstChild).focus();
      this.announce(`Removed. ${this.rows.length} left`);
    }
    move(row, by) {
      const from = this.rows.indexOf(row), to = from + by;
      if (to < 0 || to >= this.rows.length) return;
      const active = document.activeElement;
      this.rows.splice(from, 1);
      this.rows.splice(to, 0, row);
      const other = this.rows[to + (by > 0 ? -1 : 1)].node;
      if (by > 0) other.after(row.node); else other.before(row.node);
      if (row.node.contains(active)) active.focus();
      this.rows.forEach((each, at) => this.nameRow(each, at));
      this.changed(true);
      this.announce(`Moved to ${to + 1} of ${this.rows.length}`);
    }
    gripKey(event, row) {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!by || event.altKey) return;
      event.preventDefault();
      this.move(row, by);
    }
    rowKey(event, row) {
      const by = event.altKey && { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (by) { event.preventDefault(); this.move(row, by); }
      else if (event.key === "Enter" && !event.isComposing && event.target.matches(".persistence-cell")) {
        event.preventDefault();
        if (row === this.rows.at(-1)) this.add(); else this.rows[this.rows.indexOf(row) + 1].cells[0].node.focus();
      }
    }
    drag(event, row) {
      if (event.button || this.disabled) return;
      event.preventDefault();
      row.grip.focus();
      row.grip.setPointerCapture(event.pointerId);
      row.node.toggleAttribute("data-dragged", true);
      const onmove = ({ clientY }) => {
        const at = this.rows.indexOf(row), before = this.rows[at - 1]?.node.getBoundingClientRect(), after = this.rows[at + 1]?.node.getBoundingClientRect();
        if (before && clientY < before.top + before.height / 2) this.move(row, -1);
        else if (after && clientY > after.top + after.height / 2) this.move(row, 1);
      };
      const end = () => { row.node.removeAttribute("data-dragged"); row.grip.removeEventListener("pointermove", onmove); };
      row.grip.addEventListener("pointermove", onmove);
      row.grip.addEventListener("lostpointercapture", end, { once: true });
    }
  }

  // A value with named parts: one row, each part with its words above it.
  class Record extends Editor {
    blank() { return blankRow(this.shape); }
    build() {
      if (!this.cells) {
        this.cells = this.shape.parts.map(([, words, shape]) => [words, cell(shape, `${words}, ${this.label}`, (done) => this.changed(done))]);
        this.body = make("div", { className: "persistence-record" }, ...this.cells.map(([words, each]) => make("label", {}, make("span", {}, words), each.node)));
      }
      if (!this.contains(this.body)) this.replaceChildren(this.body, this.clearer());
      this.shape.parts.forEach(([name], at) => this.cells[at][1].write(this.shape.byName ? this.held[name] : this.held[at]));
    }
    changed(done) {
      const values = this.cells.map(([, each]) => each.read());
      if (values.includes(undefined)) { this.edited(undefined, false); this.complain(`${this.label}: not saved until every part is filled in`); return; }
      this.edited(this.shape.byName ? Object.fromEntries(this.shape.parts.map(([name], at) => [name, values[at]])) : values, done);
    }
  }

  // Keys and values. A key that the declaration has words for stands as a label; others can be renamed.
  class Dict extends Rows {
    blank() { return {}; }
    entries() { return Object.entries(this.held); }
    title(index) { return `${this.label}, ${this.rows[index]?.key?.read?.() || `entry ${index + 1}`}`; }
    build() {
      const names = Object.keys(this.held).join("\n");
      if (this.rows.some((row) => row.isKnown) && names !== this.names) { this.rows = []; this.body?.replaceChildren(); }
      this.names = names;
      super.build();
    }
    fill(row, [key, value]) {
      row.key.write(key);
      row.cells[0].write(value);
    }
    parts() { return [["", this.label, this.shape.item]]; }
    makeRow(index) {
      const name = this.entries()[index]?.[0] ?? "", words = this.shape.labels[name];
      const row = { node: make("li", {}), cells: [], isKnown: words !== undefined };
      row.cells = [cell(this.shape.item, `${words || name || `entry ${index + 1}`}, ${this.label}`, (done) => this.changed(done))];
      row.key = row.isKnown ? { node: make("span", { className: "persistence-key" }, words), read: () => name, write: () => {} } : cell({ kind: "text" }, `Name, ${this.label} ${index + 1}`, (done) => this.changed(done));
      row.key.node.classList.add("persistence-key");
      const remove = iconButton("remove", `Remove ${words || name || `entry ${index + 1}`}`, () => this.remove(this.rows.indexOf(row)));
      row.node.append(row.key.node, row.cells[0].node, remove);
      row.node.addEventListener("keydown", (event) => { if (!event.altKey) this.rowKey(event, row); });
      return row;
    }
    nameRow() {}
    read() {
      const found = {};
      for (const row of this.rows) {
        const key = row.key.read(), value = row.cells[0].read();
        if (!key || key in found || value === undefined) return undefined;
        found[key] = value;
      }
      return found;
    }
    changed(done) {
      const value = this.read();
      this.edited(value, done && value !== undefined);
      if (value !== undefined) this.names = Object.keys(value).join("\n");
      else this.complain(`${this.label}: not saved until every entry has a name of its own and a value`);
    }
    add() {
      if (this.disabled) return;
      const row = this.makeRow(this.rows.length);
      row.cells[0].write(blankOf(this.shape.item));
      this.rows.push(row);
      this.body.append(row.node);
      this.changed(false);
      row.key.node.focus();
    }
  }

  // Short texts as chips. What is typed becomes one on Enter, a comma, and on leaving: nothing typed is lost.
  class Tags extends Editor {
    blank() { return []; }
    build() {
      if (!this.input) {
        this.chips = make("ul", { className: "persistence-chips", "aria-label": this.label });
        this.input = make("input", { className: "persistence-cell", "aria-label": `Add to ${this.label}`, placeholder: this.shape.placeholder || "Add…", autocomplete: "off", dir: "auto" });
        this.input.addEventListener("keydown", (event) => this.key(event));
        this.input.addEventListener("blur", () => this.take());
        this.input.addEventListener("paste", (event) => {
          const text = event.clipboardData.getData("text");
          if (/[,\n]/.test(text)) { event.preventDefault(); this.input.value += text; this.take(); }
        });
        this.box = make("div", { className: "persistence-tags-box", onclick: (event) => { if (event.target === this.box || event.target === this.chips) this.input.focus(); } }, this.chips, this.input);
      }
      if (!this.contains(this.box)) this.replaceChildren(this.box, this.clearer());
      this.chips.replaceChildren(...this.held.map((text, index) => make("li", {}, make("span", { dir: "auto" }, text), make("button", {
        type: "button", "aria-label": `Remove ${text}`, title: `Remove ${text}`, onclick: () => this.remove(index), onkeydown: (event) => this.chipKey(event, index),
      }, icon("remove")))));
      this.chips.hidden = !this.held.length;
    }
    key(event) {
      if (event.isComposing) return;
      if (event.key === "Enter" || event.key === ",") { event.preventDefault(); this.take(); }
      else if (this.input.value === "" && (event.key === "Backspace" || event.key === "ArrowLeft")) this.chips.lastElementChild?.lastElementChild.focus();
      else if (event.key === "Escape" && this.input.value) { event.stopPropagation(); this.input.value = ""; }
    }
    chipKey(event, index) {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by) (this.chips.children[index + by]?.lastElementChild || this.input).focus();
      else if (event.key === "Backspace" || event.key === "Delete") { event.preventDefault(); this.remove(index); }
    }
    take() {
      const added = this.input.value.split(/[,\n]/).map((each) => each.trim()).filter((each) => each && !this.held.includes(each));
      this.input.value = "";
      if (!added.length || this.disabled) return;
      this.held = [...this.held, ...new Set(added)];
      this.build();
      this.edited(this.held, true);
      this.announce(`Added ${added.join(", ")}`);
    }
    remove(index) {
      const [gone] = this.held.slice(index);
      this.held = this.held.filter((_, at) => at !== index);
      this.build();
      this.edited(this.held, true);
      (this.chips.children[Math.min(index, this.held.length - 1)]?.lastElementChild || this.input).focus();
      this.announce(`Removed ${gone}`);
    }
  }

  // Any value as text. Half a text stays where it is, and is said to be none.
  class Json extends Editor {
    blank() { return null; }
    showNone() { this.isNone = false; this.build(); }
    build() {
      this.area ||= make("textarea", {
        className: "persistence-input persistence-long persistence-code", rows: 3, spellcheck: false, "aria-label": this.label,
        oninput: () => this.typed(false), onchange: () => this.typed(true),
      });
      if (!this.contains(this.area)) this.replaceChildren(this.area);
      let typed;
      try { typed = JSON.parse(this.area.value); } catch { /* nothing yet */ }
      if (!this.area.value || !same(typed, this.held)) this.area.value = JSON.stringify(this.held, null, 2);
    }
    typed(done) {
      try {
        this.edited(JSON.parse(this.area.value), done);
      } catch (error) {
        this.edited(undefined, false);
        this.complain(`Not saved: this isn't JSON yet (${error.message})`);
      }
    }
  }

  for (const [name, kind] of Object.entries({ list: Rows, record: Record, dict: Dict, tags: Tags, json: Json })) customElements.define(`persistence-${name}`, kind);
})();
