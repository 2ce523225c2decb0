// The shelf: where a browser keeps pages as they were last, for when the server is away. In IndexedDB, shared by the
// pages, the worker and the pages that it serves.
//
// - It belongs to one user at a time. Whoever else turns up empties it; so does signing out.
// - A page is kept only while its user owns the shelf, in the same transaction: a tab that is late puts nothing there.
// - It holds so many pages and bytes at most. What was kept the longest ago goes first, and files that no page shows.
const persistenceShelf = (() => {
  "use strict";

  const NAME = "persistence-offline", VERSION = 1, PAGES = 30, PAGE = 2_000_000, ALL = 20_000_000, FILES = 200, FILE = 2_000_000;
  const STORES = ["about", "pages", "contents", "files"];
  let opening = null;

  function open() {
    opening ||= new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, VERSION);
      request.onupgradeneeded = () => {
        const base = request.result;
        for (const name of [...base.objectStoreNames]) base.deleteObjectStore(name); // of another release: pages come anew
        base.createObjectStore("about");
        base.createObjectStore("pages", { keyPath: "path" }); // what lists need; the content is apart
        base.createObjectStore("contents");
        base.createObjectStore("files", { keyPath: "url" });
      };
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const base = request.result;
        base.onversionchange = () => { base.close(); opening = null; };
        base.onclose = () => { opening = null; };
        resolve(base);
      };
    });
    opening.catch(() => { opening = null; });
    return opening;
  }

  const result = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });

  // Runs `work` on the stores in one transaction; resolves to what it returned when all of it is done.
  async function run(mode, work) {
    const base = await open();
    return new Promise((resolve, reject) => {
      const transaction = base.transaction(STORES, mode);
      const stores = Object.fromEntries(STORES.map((name) => [name, transaction.objectStore(name)]));
      let done;
      transaction.oncomplete = () => resolve(done);
      transaction.onabort = () => reject(transaction.error || new DOMException("aborted", "AbortError"));
      Promise.resolve(work(stores)).then((answer) => { done = answer; }, (error) => { try { transaction.abort(); } catch { /* it is over */ } reject(error); });
    });
  }

  function empty({ pages, contents, files }) {
    for (const store of [pages, contents, files]) store.clear();
  }

  // Addresses as keys: of this site, without what only the page itself reads.
  function pathOf(address) {
    const { pathname, search } = new URL(address, location.href);
    return (pathname.replace(/(?!^)\/+$/, "") || "/") + search;
  }

  const sizeOf = (content) => new Blob([JSON.stringify(content)]).size;

  return {
    pathOf,

    // This user is here now. What anybody else left is removed.
    claim: (actor) => run("readwrite", async (stores) => {
      const owner = await result(stores.about.get("owner"));
      if (owner !== actor) empty(stores);
      stores.about.put(actor, "owner");
    }),

    // Nobody is: all of it goes, and nothing comes until somebody claims it. With `actor` only where it is theirs.
    forget: (actor) => run("readwrite", async (stores) => {
      if (actor !== undefined && (await result(stores.about.get("owner"))) !== actor) return;
      empty(stores);
      stores.about.delete("owner");
    }),

    owner: () => run("readonly", ({ about }) => result(about.get("owner"))),

    // Keeps a page; false where it isn't its user's shelf, or the page is too large (an older state of it goes then).
    keep: (actor, { path, title, at, isEditable, files }, content) => {
      const size = sizeOf(content);
      return run("readwrite", async (stores) => {
        if (!actor || (await result(stores.about.get("owner"))) !== actor) return false;
        if (size > PAGE) { stores.pages.delete(path); stores.contents.delete(path); return false; }
        stores.pages.put({ path, title, at, isEditable, files, size });
        stores.contents.put(content, path);
        const known = (await result(stores.pages.getAll())).sort((one, other) => other.at - one.at);
        let total = 0;
        const stays = known.filter((each, position) => (total += each.size) <= ALL && position < PAGES);
        for (const each of known) if (!stays.includes(each)) { stores.pages.delete(each.path); stores.contents.delete(each.path); }
        const shown = new Set(stays.flatMap((each) => each.files));
        for (const url of await result(stores.files.getAllKeys())) if (!shown.has(url)) stores.files.delete(url);
        return true;
      });
    },

    drop: (path) => run("readwrite", ({ pages, contents }) => { pages.delete(path); contents.delete(path); }),

    // Newest first: {path, title, at, isEditable, size}.
    list: async () => (await run("readonly", ({ pages }) => result(pages.getAll()))).sort((one, other) => other.at - one.at),

    // {owner, page, content} of an address; null where it isn't kept, or is nobody's.
    find: (path) => run("readonly", async ({ about, pages, contents }) => {
      const [owner, page, content] = await Promise.all([result(about.get("owner")), result(pages.get(path)), result(contents.get(path))]);
      return owner && page && content ? { owner, page, content } : null;
    }),

    // Those of the files that aren't here yet.
    missing: (urls) => run("readonly", async ({ files }) => {
      const known = new Set(await result(files.getAllKeys()));
      return urls.filter((url) => !known.has(url)).slice(0, Math.max(0, FILES - known.size));
    }),

    put: (actor, { url, type, body }) => body.byteLength > FILE ? Promise.resolve(false) : run("readwrite", async ({ about, files }) => {
      if ((await result(about.get("owner"))) !== actor) return false;
      files.put({ url, type, body });
      return true;
    }),

    file: (url) => run("readonly", ({ files }) => result(files.get(url))),
  };
})();
