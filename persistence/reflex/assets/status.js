// The save status, in words and true at every moment: what the server said of each tool, what this page still holds,
// whether there is a connection. No "Saved" while anything isn't; no flicker while it is being typed.
(() => {
  "use strict";
  if (window.persistence.status) return;

  const CALM = 600, LATE = 4000, NEWS = 8000; // ms that "Saving…" stays at least; without an answer until that is said; of what came back
  const TROUBLE = {
    blocked: "Storage is blocked: allow it for this site", full: "Storage is full: free some space on this device",
    newer: "A newer version is open: load this page again",
  };
  let since = 0, restless = 0, news = "", newsUntil = 0;

  function parsed(text, otherwise) {
    try { return text ? JSON.parse(text) : otherwise; } catch { return otherwise; }
  }

  function factsOf(node) {
    const data = node.dataset;
    return {
      tool: data.persistenceToolId, status: data.persistenceStatus, problem: data.persistenceProblem || "",
      saved: Number(data.persistenceSaved) || 0, refused: Object.entries(parsed(data.persistenceErrors, {})), titles: parsed(data.persistenceTitles, {}),
    };
  }

  // [state, words]: the worst of what is true of these tools.
  function tell(tools) {
    const names = new Set(tools.map((each) => each.tool));
    const mine = window.persistence.waiting.filter((each) => names.has(each.target[2]) || each.kind.includes("."));
    const { identity, isOffline, unkept } = window.persistence;
    const trouble = TROUBLE[window.persistence.trouble] || "";
    const drafts = window.persistence.drafts.filter((each) => names.has(each.dataset.persistenceTool));
    const [bad] = tools.filter((each) => each.status === "error");
    const refused = tools.flatMap((each) => each.refused.map(([field, problem]) => window.persistenceWords.reason(each.titles[field] || field, problem)));
    const kept = keptOf(tools);
    since = mine.length ? since || Date.now() : 0;
    if (mine.length) restless = Date.now();
    if (identity) return ["waiting", identity.now ? `${changes(identity.waiting, "wait")} until you sign in as before` : `Signed out. ${changes(identity.waiting, "wait")} until you sign in again`];
    if (mine.length && isOffline && unkept.length) return ["error", `No connection. ${changes(mine.length, "wait")} in this page alone: keep it open. ${trouble}`.trim()];
    if (mine.length && isOffline) return ["waiting", `No connection. ${changes(mine.length, "wait")}`];
    if (mine.length && window.persistenceOffline) return ["waiting", changes(mine.length, "wait")]; // until the live page comes
    if (bad) return ["error", bad.problem.startsWith("not ") ? capital(bad.problem) : `Not saved: ${bad.problem || "trying again"}`];
    if (kept.length) return ["error", kept.length === 1 ? `Not saved: ${shortOf(kept[0])}` : `${kept.length} changes couldn’t be saved`];
    if (refused.length) return ["error", `Not saved: ${refused[0]}${refused.length > 1 ? ` (and ${refused.length - 1} more)` : ""}`];
    if (mine.length && Date.now() - since > LATE) return ["waiting", `Not saved yet: ${window.persistence.isTrying ? "the server goes on trying" : "no answer from the server"}`];
    if (drafts.length) return ["waiting", `Not saved yet: ${drafts[0].dataset.label} isn’t complete`];
    if (tools.some((each) => each.status === "loading")) return ["loading", "Loading…"];
    if (mine.length || tools.some((each) => each.status === "saving")) { restless = Date.now(); return ["saving", "Saving…"]; }
    if (!tools.some((each) => each.status === "ready")) return ["idle", ""];
    if (Date.now() - restless < CALM) return ["saving", "Saving…"]; // more may follow: no to and fro
    if (Date.now() < newsUntil) return ["ready", news];
    const saved = Math.max(...tools.map((each) => each.saved));
    const words = saved ? `Saved ${timeOf(saved)}` : "Saved";
    if (isOffline) return ["offline", `No connection. ${words}`];
    return trouble ? ["waiting", `${words}. ${trouble}`] : ["ready", words];
  }

  const changes = (count, verb) => (count === 1 ? `1 change ${verb}s` : `${count} changes ${verb}`);

  document.addEventListener("persistence-returned", ({ detail: { saved, failed, isSealed } }) => {
    const all = saved + failed, counted = saved === all ? (all === 1 ? "1 change" : `${all} changes`) : `${saved} of ${all} changes`;
    news = `${counted} from ${isSealed ? "before you signed out" : "an earlier visit"} ${all === 1 ? "was" : "were"} saved`;
    newsUntil = Date.now() + NEWS;
  });

  // What couldn't be saved of these tools, here or elsewhere.
  const keptOf = (tools) => (window.persistenceUnsaved?.entries || []).filter((each) => tools.some(({ tool }) => tool === each.operation.target.at(-1)));

  function shortOf(entry) {
    const { titleOf, whyOf, personOf, isConflict } = window.persistenceWords;
    return isConflict(entry) ? `${personOf(entry, entry.answer.theirs.by)} changed ${titleOf(entry)}, too` : whyOf(entry);
  }
  const capital = (text) => text[0].toUpperCase() + text.slice(1);
  const timeOf = (at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

  function show(line) {
    const tools = [...line.querySelectorAll("[data-persistence-tool-id]")].map(factsOf);
    const [state, words] = tell(tools);
    const [seen, heard] = [line.querySelector(".persistence-status-text"), line.querySelector("[role=status]")];
    if (line.dataset.state !== state) line.dataset.state = state;
    if (seen.textContent !== words) seen.textContent = words;
    if (seen.title !== words) seen.title = words;
    line.toggleAttribute("data-unsaved", keptOf(tools).length > 0);
    const said = state === "saving" || state === "loading" ? "" : words; // read aloud once it stands still, and never out of date
    if (heard.textContent !== said) heard.textContent = said;
  }

  function showAll() {
    if (document.getElementById("persistence-root")?.dataset.hydrated !== "true") return; // the page itself isn't there yet
    for (const line of document.querySelectorAll("[data-persistence-line]")) show(line);
  }

  document.addEventListener("persistence", showAll);
  document.addEventListener("persistence-unsaved", showAll);
  addEventListener("online", showAll);
  addEventListener("offline", showAll);
  new MutationObserver(showAll).observe(document, {
    subtree: true, childList: true, attributes: true,
    attributeFilter: ["data-persistence-status", "data-persistence-saved", "data-persistence-problem", "data-persistence-errors", "data-offline", "data-hydrated", "data-draft"],
  });
  setInterval(showAll, 200); // time passes: what is late, what is calm
  window.persistence.status = showAll;
})();
