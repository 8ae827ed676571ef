// Keeps one page for when the server is out of reach, so that an installed Hostbeat says what it is then. Everything else
// comes from the server, always.
const PAGE = "/offline";

addEventListener("install", (event) => event.waitUntil(keep().then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match(PAGE)));
  else if (request.destination === "style") event.respondWith(fetch(request).catch(() => caches.match(request)));
});

async function keep() {
  const cache = await caches.open("hostbeat");
  const page = await fetch(PAGE);
  const [style] = /\/assets\/[^"]*\.css/.exec(await page.clone().text());
  await Promise.all([cache.put(PAGE, page), cache.add(style)]);
}
