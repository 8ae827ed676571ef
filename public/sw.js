// Service worker of the installed page: caches the offline page and its stylesheet. Everything else comes from the network.
// Relative to this script, as everything that the server serves is to the dashboard.
const OFFLINE_PAGE = "offline";

addEventListener("install", (event) => event.waitUntil(cacheOfflinePage().then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(loadPage(request));
  else if (request.destination === "style") event.respondWith(fetch(request).catch(() => caches.match(request)));
});

// A proxy in front answers 502 to 504 for a server that is down.
async function loadPage(request) {
  const response = await fetch(request).catch(() => undefined);
  const isAnswered = response && ![502, 503, 504].includes(response.status);
  return isAnswered ? response : ((await caches.match(OFFLINE_PAGE)) ?? response ?? Response.error());
}

async function cacheOfflinePage() {
  const cache = await caches.open("hostbeat");
  const page = await fetch(OFFLINE_PAGE);
  const html = await page.text();
  const [style] = /assets\/[^"]*\.css/.exec(html);
  // The page is shown at any address, so its base must be absolute.
  const body = html.replace('<base href="./">', `<base href="${registration.scope}">`);
  await Promise.all([cache.put(OFFLINE_PAGE, new Response(body, page)), cache.add(style)]);
}
