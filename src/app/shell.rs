//! The HTML document around the page: head, stylesheet and scripts.

use super::{InitialData, PageMode, Ports, dashboard, initial_data::INITIAL_DATA_ELEMENT};
use leptos::{config::LeptosOptions, hydration::AutoReload, prelude::*};

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
    let title = format!("{} · Hostbeat", initial_data.host.name);
    let mode = initial_data.view.mode.as_str();
    // All addresses are relative to the dashboard's, so a page below it needs that as its base.
    let base = (initial_data.view.mode == PageMode::Embed).then(|| view! { <base href="../"/> });
    let start = initial_data.to_script().ok().and_then(|data| start_scripts(parts, data));
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
                <script inner_html=HEAD_SCRIPT></script>
                <noscript inner_html=REFRESH></noscript>
                {start}
                {watch.map(|options| view! { <AutoReload options/> })}
            </head>
            <body>{dashboard(initial_data, &Ports::NONE)}</body>
        </html>
    }
}

/// The inline scripts of the document. The content security policy allows these by their hashes.
pub fn inline_scripts(parts: &Parts, watch: Option<LeptosOptions>) -> Vec<String> {
    let scripts = [Some(HEAD_SCRIPT.to_owned()), start_script(parts), watch.and_then(reload_script)];
    scripts.into_iter().flatten().collect()
}

/// The script of [`AutoReload`], which only its element reveals.
fn reload_script(options: LeptosOptions) -> Option<String> {
    let element = view! { <AutoReload options/> }.to_html();
    let (_, script) = element.split_once('>')?;
    Some(script.rsplit_once("</script>")?.0.to_owned())
}

/// Runs as a module once the document is parsed.
fn start_script(parts: &Parts) -> Option<String> {
    // For the offline page of an installed app. Not every browser allows a service worker here.
    const REGISTER_WORKER: &str = "navigator.serviceWorker?.register(\"sw.js\").catch(() => {});";
    let (script, wasm) = parts.script.as_ref().zip(parts.wasm.as_ref())?;
    Some(format!(
        "import init, {{ hydrate }} from \"{script}\";await init({{ module_or_path: \"{wasm}\" }});hydrate();{REGISTER_WORKER}"
    ))
}

/// Loads script and library in parallel.
fn start_scripts(parts: &Parts, data: String) -> Option<impl IntoView + use<>> {
    let (script, wasm) = parts.script.clone().zip(parts.wasm.clone())?;
    let start = start_script(parts)?;
    Some(view! {
        <link rel="modulepreload" href=script/>
        <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
        <script type="application/json" id=INITIAL_DATA_ELEMENT inner_html=data></script>
        <script type="module" inner_html=start></script>
    })
}
