// What an edit that couldn't be saved is called and looks like, in words and small elements: its setting, its owner, why,
// its value, the control that edits it, and how two texts differ. Knows nothing of where edits are kept.
//
// An entry is what the outbox keeps of such an edit: {operation, answer, heardAt}. The words are the server's, in
// `answer.about` (`answers.py`), so that they are here without it. An entry without them shows no value: it may be a secret.
(() => {
  "use strict";
  if (window.persistenceWords) return;

  const MOST_WORDS = 500, LONG = 60, HIDDEN = "••••••••";
  const NAMED = /^\w[\w-]*\.\w/; // "message.add": what isn't a setting's edit

  // An element: `h("button", { class: "…", onclick }, "Words", node)`. Nothing is ever read as HTML.
  function h(tag, props = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
      if (value === undefined || value === null || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    node.append(...children.flat().filter((each) => each !== null && each !== undefined && each !== false && each !== ""));
    return node;
  }
  const icon = (name) => h("span", { class: "persistence-icon", "data-icon": name, "aria-hidden": "true" });

  // --- what, where, why, when -------------------------------------------------------------------------------

  const aboutOf = (entry) => entry.answer.about || {};
  const capital = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");
  const isConflict = (entry) => entry.answer.status === "conflict" && Boolean(entry.answer.theirs);
  const isSecret = (entry) => !entry.answer.about || Boolean(aboutOf(entry).secret);
  const isGone = (entry) => Boolean(aboutOf(entry).gone);
  const controlOf = (entry) => (entry.operation.kind === "keys" || NAMED.test(entry.operation.kind) ? { kind: "json" } : aboutOf(entry).control || { kind: "json" });

  function titleOf(entry) {
    const { field, kind } = entry.operation;
    return aboutOf(entry).title || field || capital(kind.replace(".", ": "));
  }

  function whereOf(entry) {
    const { tool, where } = aboutOf(entry);
    return [tool || entry.operation.target.at(-1), (where || []).join(", ")].filter(Boolean).join(" · ");
  }

  // "Ana", "You"; "Somebody else" where the app has no name.
  function personOf(entry, by) {
    if (by && by === entry.operation.actor) return "You";
    return aboutOf(entry).people?.[by] || "Somebody else";
  }

  // A sentence without its full stop.
  function whyOf(entry) {
    const { problem, theirs } = entry.answer;
    if (isGone(entry)) return `The ${aboutOf(entry).scope || "place"} that this belongs to was deleted. Your edit is kept here`;
    if (isConflict(entry)) return `${personOf(entry, theirs.by)} changed this ${ago(theirs.at)}, and so did you`;
    return NAMED.test(entry.operation.kind) || !entry.operation.field ? capital(bare(problem)) : reason(titleOf(entry), problem);
  }

  // What is wrong with a setting: "Frames must be at most 9", but "Frames: You may not" where the app says a sentence.
  const bare = (problem) => problem.replace(/\.$/, "");
  const reason = (title, problem) => `${title}${/^(\p{Lu}|there )/u.test(problem) ? ":" : ""} ${bare(problem)}`;

  // In this browser's time, from seconds or milliseconds since the epoch.
  function ago(at) {
    if (!at) return "meanwhile";
    const then = at < 1e11 ? at * 1000 : at, seconds = Math.max(0, (Date.now() - then) / 1000);
    if (seconds < 45) return "just now";
    if (seconds < 3570) return `${Math.round(seconds / 60)} min ago`;
    const date = new Date(then), isToday = date.toDateString() === new Date().toDateString();
    const clock = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    return isToday ? `at ${clock}` : `on ${date.toLocaleDateString([], { dateStyle: "medium" })}, ${clock}`;
  }

  // --- values -----------------------------------------------------------------------------------------------

  const json = (value) => JSON.stringify(value, null, 2) ?? "";
  const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));

  // A value as people read it. `kind` is that of the edit: set, reset, block, pin, keys, or a name of the app's.
  function valueOf(entry, value, kind = entry.operation.kind) {
    if (kind === "reset" || kind === "") return "Nothing set here: inherited";
    if (kind === "block") return "Blocked: the default answers";
    if (isSecret(entry)) return HIDDEN;
    if (kind === "keys") return [...Object.entries(value?.set || {}).map(([key, each]) => `${key}: ${plain(each)}`), ...(value?.remove || []).map((key) => `without ${key}`)].join("\n");
    const { choices, unit } = controlOf(entry);
    const known = choices?.find(([choice]) => JSON.stringify(choice) === JSON.stringify(value));
    if (known) return known[1];
    if (value === null || value === undefined) return "Not set";
    if (typeof value === "boolean") return value ? "On" : "Off";
    if (typeof value === "string") return value.trim() ? value : "Empty";
    if (typeof value === "number") return unit ? `${value} ${unit}` : String(value);
    return json(value);
  }

  const isText = (entry) => typeof entry.operation.value === "string" && !isSecret(entry) && !controlOf(entry).choices;

  // A value in its frame; a long one is folded, and opens by a button.
  function shown(entry, text, pieces) {
    const box = h("div", { class: "persistence-unsaved-value", dir: "auto" });
    box.append(...(pieces || [text]));
    if (!isText(entry) && text.includes("\n")) box.setAttribute("data-code", "");
    const lines = text.split("\n").length;
    if (text.length <= 240 && lines <= 5) return box;
    box.setAttribute("data-folded", "");
    const more = h("button", { type: "button", class: "persistence-button persistence-quiet persistence-unsaved-more", "aria-expanded": "false" }, "Show all");
    more.addEventListener("click", () => {
      const isFolded = box.toggleAttribute("data-folded");
      more.textContent = isFolded ? "Show all" : "Show less";
      more.setAttribute("aria-expanded", String(!isFolded));
    });
    return h("div", {}, box, more);
  }

  // --- mine, theirs, before -----------------------------------------------------------------------------------

  // Words with the space behind them; marks by themselves.
  const wordsIn = (text) => text.match(/[\p{L}\p{N}_]+\s*|[^\p{L}\p{N}_\s]+\s*|\s+/gu) || [];

  // [pieces of one, pieces of the other]: what the other doesn't have is marked. Null where it's better told whole.
  function difference(one, other) {
    const [a, b] = [wordsIn(one), wordsIn(other)];
    if (!a.length || !b.length || a.length > MOST_WORDS || b.length > MOST_WORDS || Math.max(one.length, other.length) < LONG / 3) return null;
    const longest = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i--) for (let j = b.length - 1; j >= 0; j--) {
      longest[i][j] = same(a[i], b[j]) ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
    }
    if (longest[0][0] < Math.max(a.length, b.length) * 0.25) return null;
    const left = [], right = [];
    let i = 0, j = 0;
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && same(a[i], b[j])) { add(left, a[i++], false); add(right, b[j++], false); }
      else if (j >= b.length || (i < a.length && longest[i + 1][j] >= longest[i][j + 1])) add(left, a[i++], true);
      else add(right, b[j++], true);
    }
    return [left.flatMap(pieceOf), right.flatMap(pieceOf)];
  }
  const same = (one, other) => one.trim() === other.trim();
  const pieceOf = ({ text, isOwn }) => (isOwn && text.trim() ? [h("mark", {}, text.trimEnd()), text.slice(text.trimEnd().length)] : [text]);

  function add(pieces, text, isOwn) {
    const last = pieces.at(-1);
    if (last && last.isOwn === isOwn) last.text += text; else pieces.push({ text, isOwn });
  }

  // What stands against what: yours, theirs, and what both began with.
  function comparison(entry) {
    const { operation, answer } = entry, { theirs, base_value: base } = answer;
    const mine = valueOf(entry, operation.value), other = valueOf(entry, theirs.value, theirs.kind);
    const marked = isText(entry) && typeof theirs.value === "string" ? difference(mine, other) : null;
    const side = (name, who, text, pieces, kind) => h("div", { class: "persistence-unsaved-side", "data-side": kind },
      h("h4", {}, name, h("span", {}, who)), shown(entry, text, pieces));
    const before = base ? valueOf(entry, base.value, base.kind) : "";
    return h("div", { class: "persistence-unsaved-sides" },
      side("Yours", `not saved, ${ago(operation.madeAt || entry.heardAt)}`, mine, marked?.[0], "mine"),
      side("Theirs", `${personOf(entry, theirs.by)}, ${ago(theirs.at)}`, other, marked?.[1], "theirs"),
      before && h("details", { class: "persistence-unsaved-before" },
        h("summary", {}, icon("chevron"), "Before both", base.by && h("span", {}, `${personOf(entry, base.by)}, ${ago(base.at)}`)), shown(entry, before)));
  }

  // --- controls ---------------------------------------------------------------------------------------------

  // The control that edits a value: {node, input, read()}; `read` throws an Error in words where it isn't one.
  function editor(entry, start = entry.operation.value) {
    const { kind, choices, min, max, step, optional } = controlOf(entry), label = `New value of ${titleOf(entry)}`;
    const common = { class: "persistence-input", "aria-label": label };
    if (isSecret(entry)) {
      const input = h("input", { ...common, type: "password", autocomplete: "off", placeholder: "Type it anew" });
      return { node: input, input, read: () => { if (!input.value) throw new Error("Type the secret anew; it isn’t shown"); return input.value; } };
    }
    if (choices) {
      const input = h("select", { ...common, class: "persistence-input persistence-select" }, choices.map(([value, words]) => h("option", { value: JSON.stringify(value) }, words)));
      input.value = JSON.stringify(start);
      return { node: input, input, read: () => { if (!input.value) throw new Error("Choose one"); return JSON.parse(input.value); } };
    }
    if (kind === "boolean") {
      const input = h("input", { type: "checkbox", role: "switch", class: "persistence-switch", "aria-label": label });
      input.checked = Boolean(start);
      return { node: h("label", { class: "persistence-unsaved-switch" }, input, "On"), input, read: () => input.checked };
    }
    if (kind === "number") {
      const input = h("input", { ...common, class: "persistence-input persistence-number", type: "number", min, max, step: step || "any" });
      input.value = start ?? "";
      return { node: input, input, read: () => numberIn(input, optional) };
    }
    if (kind === "text" || kind === "long") {
      const isLong = kind === "long" || String(start ?? "").length > LONG;
      const input = h(isLong ? "textarea" : "input", { ...common, dir: "auto", ...(isLong ? { rows: 5, class: "persistence-input persistence-long" } : { type: "text" }) });
      input.value = start ?? "";
      return { node: input, input, read: () => (optional && input.value === "" ? null : input.value) };
    }
    const input = h("textarea", { ...common, rows: 6, spellcheck: "false", class: "persistence-input persistence-long persistence-unsaved-json" });
    input.value = json(start);
    return { node: input, input, read: () => { try { return JSON.parse(input.value); } catch { throw new Error("This isn’t complete JSON yet"); } } };
  }

  function numberIn(input, optional) {
    if (input.value === "" && optional && !input.validity.badInput) return null;
    const number = input.value === "" ? NaN : Number(input.value);
    if (!Number.isFinite(number)) throw new Error("Enter a number");
    if (input.min !== "" && number < Number(input.min)) throw new Error(`At least ${input.min}`);
    if (input.max !== "" && number > Number(input.max)) throw new Error(`At most ${input.max}`);
    return number;
  }

  // As a file holds it. A secret's value stays out.
  function exported(entry) {
    const { operation, answer, heardAt } = entry, [scope, owner, tool] = operation.target;
    const isHidden = isSecret(entry), at = (each) => each && { value: isHidden ? null : each.value, kind: each.kind, by: personOf(entry, each.by), at: isoOf(each.at) };
    return {
      what: titleOf(entry), where: whereOf(entry), why: whyOf(entry), when: isoOf(heardAt),
      tool, setting: operation.field, scope, owner, kind: operation.kind,
      value: isHidden ? null : operation.value, ...(isHidden ? { secret: true } : {}), base: operation.base, id: operation.id,
      ...(answer.theirs ? { theirs: at(answer.theirs), before: at(answer.base_value) } : {}),
    };
  }
  const isoOf = (at) => (at ? new Date(at < 1e11 ? at * 1000 : at).toISOString() : null);

  window.persistenceWords = { h, icon, titleOf, whereOf, whyOf, reason, personOf, ago, valueOf, shown, comparison, editor, exported, isConflict, isSecret, isGone, isText };
})();
