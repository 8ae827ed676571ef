//! The document around the page.

use super::{InitialData, Ports, dashboard, initial_data::INITIAL_DATA_ELEMENT};
use leptos::{
    config::LeptosOptions,
    hydration::AutoReload,
    nonce::{Nonce, use_nonce},
    prelude::*,
};

/// The addresses of the page's parts. The library's are `None` when it wasn't built; the page then stays as the server
/// drew it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The stylesheet.
    pub style: String,
    /// The library's glue, a module.
    pub script: Option<String>,
    /// The library.
    pub wasm: Option<String>,
}

/// How often a page without JavaScript draws itself anew, in seconds.
const REFRESH: &str = "<meta http-equiv=\"refresh\" content=\"5\">";

/// Applies the theme that the reader has chosen before anything is drawn: a page that turns dark after it was light hurts.
/// And takes a token from the address, where people would see it, into what the browser keeps. It stands after a `#`, which no
/// server is sent, and which alone makes no page anew.
const BEFORE: &str = "addEventListener(\"hashchange\",()=>location.hash.startsWith(\"#token=\")&&location.reload());\
    try{\
    const token=location.hash.match(/^#token=(.*)/);\
    if(token){history.replaceState(null,\"\",location.pathname+location.search);localStorage.token=token[1]}\
    document.documentElement.dataset.theme=localStorage.theme??\"auto\"\
    }catch{}";

/// The whole document. `watch` are the options of `cargo leptos watch`, when that runs the server.
pub fn shell(initial_data: InitialData, parts: &Parts, watch: Option<LeptosOptions>) -> impl IntoView + use<> {
    let nonce = use_nonce();
    let before = view! { <script nonce=nonce.clone() inner_html=BEFORE></script> };
    let title = format!("{} · Hostbeat", initial_data.host.name);
    let frame = initial_data.view.frame.as_str();
    let start = parts.script.as_ref().zip(parts.wasm.as_ref()).zip(initial_data.to_script().ok());
    let start = start.map(|((script, wasm), data)| start_scripts(script, wasm, data, nonce));
    view! {
        <!DOCTYPE html>
        <html lang="en" class=frame>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{title}</title>
                <link rel="icon" type="image/svg+xml" href="/favicon.svg"/>
                <link rel="apple-touch-icon" href="/icon-192.png"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                <link rel="stylesheet" href=parts.style.clone()/>
                {before}
                <noscript inner_html=REFRESH></noscript>
                {start}
                {watch.map(|options| view! { <AutoReload options/> })}
            </head>
            <body>{dashboard(initial_data, &Ports::NONE)}</body>
        </html>
    }
}

/// Fetches script and library side by side, and starts once the document is complete, as modules do.
fn start_scripts(script: &str, wasm: &str, data: String, nonce: Option<Nonce>) -> impl IntoView + use<> {
    // What an installed page says when its server is out of reach; not every browser lets every page keep that.
    const KEEP: &str = "navigator.serviceWorker?.register(\"/sw.js\").catch(() => {});";
    let start = format!(
        "import init, {{ hydrate }} from \"{script}\";await init({{ module_or_path: \"{wasm}\" }});hydrate();{KEEP}"
    );
    view! {
        <link rel="modulepreload" href=script.to_owned() nonce=nonce.clone()/>
        <link rel="preload" href=wasm.to_owned() r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
        <script type="application/json" id=INITIAL_DATA_ELEMENT inner_html=data></script>
        <script type="module" nonce=nonce inner_html=start></script>
    }
}
