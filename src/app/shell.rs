//! The HTML document around the page: head, stylesheet and scripts.

use super::{InitialData, PageMode, Ports, dashboard, initial_data::INITIAL_DATA_ELEMENT};
use leptos::{
    config::LeptosOptions,
    hydration::AutoReload,
    nonce::{Nonce, use_nonce},
    prelude::*,
};

/// The addresses of the page's files, relative to the dashboard's. The library's are `None` when it wasn't built; the page is then static.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The stylesheet.
    pub style: String,
    /// The library's JavaScript module.
    pub script: Option<String>,
    /// The library's WebAssembly.
    pub wasm: Option<String>,
}

/// Reloads the page every 5 seconds without JavaScript.
const REFRESH: &str = "<meta http-equiv=\"refresh\" content=\"5\">";

/// Applies the stored theme before the first paint, so that a dark page doesn't flash. Also moves a token from the
/// address to `localStorage`. The fragment is never sent to a server; since a change of it alone loads nothing, the
/// script reloads.
const HEAD_SCRIPT: &str = "addEventListener(\"hashchange\",()=>location.hash.startsWith(\"#token=\")&&location.reload());\
    try{\
    const token=location.hash.match(/^#token=(.*)/);\
    if(token){history.replaceState(null,\"\",location.pathname+location.search);localStorage.token=token[1]}\
    document.documentElement.dataset.theme=localStorage.theme??\"auto\"\
    }catch{}";

/// The whole document. `watch` holds the options of `cargo leptos watch` while that runs the server.
pub fn shell(initial_data: InitialData, parts: &Parts, watch: Option<LeptosOptions>) -> impl IntoView + use<> {
    let nonce = use_nonce();
    let head_script = view! { <script nonce=nonce.clone() inner_html=HEAD_SCRIPT></script> };
    let title = format!("{} · Hostbeat", initial_data.host.name);
    let mode = initial_data.view.mode.as_str();
    // All addresses are relative to the dashboard's, so a page below it needs that as its base.
    let base = (initial_data.view.mode == PageMode::Embed).then(|| view! { <base href="../"/> });
    let start = parts.script.as_ref().zip(parts.wasm.as_ref()).zip(initial_data.to_script().ok());
    let start = start.map(|((script, wasm), data)| start_scripts(script, wasm, data, nonce));
    view! {
        <!DOCTYPE html>
        <html lang="en" class=mode>
            <head>
                <meta charset="utf-8"/>
                {base}
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{title}</title>
                <link rel="icon" type="image/svg+xml" href="favicon.svg"/>
                <link rel="apple-touch-icon" href="icon-192.png"/>
                <link rel="manifest" href="manifest.webmanifest" crossorigin="use-credentials"/>
                <link rel="stylesheet" href=parts.style.clone()/>
                {head_script}
                <noscript inner_html=REFRESH></noscript>
                {start}
                {watch.map(|options| view! { <AutoReload options/> })}
            </head>
            <body>{dashboard(initial_data, &Ports::NONE)}</body>
        </html>
    }
}

/// Loads script and library in parallel; as a module, it runs once the document is parsed.
fn start_scripts(script: &str, wasm: &str, data: String, nonce: Option<Nonce>) -> impl IntoView + use<> {
    // For the offline page of an installed app. Not every browser allows a service worker here.
    const REGISTER_WORKER: &str = "navigator.serviceWorker?.register(\"sw.js\").catch(() => {});";
    let start = format!(
        "import init, {{ hydrate }} from \"{script}\";await init({{ module_or_path: \"{wasm}\" }});hydrate();{REGISTER_WORKER}"
    );
    view! {
        <link rel="modulepreload" href=script.to_owned() nonce=nonce.clone()/>
        <link rel="preload" href=wasm.to_owned() r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
        <script type="application/json" id=INITIAL_DATA_ELEMENT inner_html=data></script>
        <script type="module" nonce=nonce inner_html=start></script>
    }
}
