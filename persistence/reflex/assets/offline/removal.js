// What stands in the worker's place where it is switched off: it removes what was kept, and itself.
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(persistenceShelf.forget().catch(() => {}).then(() => self.registration.unregister())));
