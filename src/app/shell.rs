//! The HTML document around the page: head, stylesheet and scripts.

use super::{InitialData, KeepsHistory, PageMode, Ports, dashboard, initial_data::INITIAL_DATA_ELEMENT};
use leptos::{config::LeptosOptions, hydration::AutoReload, prelude::*};

/// The addresses of the page's files, relative to the dashboard's. The library's are `None` when it wasn't built; the page is then static.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The stylesheet.
    pub style: String,
    /// The stylesheet of pages with forms.
    pub account_style: String,
    /// What pages of the history add to the stylesheet, and their script.
    pub history_style: String,
    /// See `history_style`.
    pub history_script: String,
    /// The script of the page that arranges the panels.
    pub arrange_script: String,
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

/// Reloads the page every 5 seconds, as without JavaScript, once the library can't start or has trapped. The page stays
/// while it is hidden or the server does not answer.
const REDRAW_SCRIPT: &str = "let redraw=()=>{redraw=()=>{};\
    const notice=document.querySelector(\".notice\");\
    const say=(text)=>{notice.hidden=false;notice.textContent=text};\
    say(\"Live updates don't run in this browser. The page reloads every 5 seconds.\");\
    setInterval(()=>document.hidden||fetch(location.href).then(({ok})=>ok&&location.reload(),\
    ()=>say(\"Server unreachable. The page reloads when it is back.\")),5000)};\
    for(const name of[\"error\",\"unhandledrejection\"])\
    addEventListener(name,({error,reason})=>(error??reason)?.name==\"RuntimeError\"&&redraw());";

/// The whole document. `watch` holds the options of `cargo leptos watch` while that runs the server.
pub fn shell(initial_data: InitialData, parts: &Parts, watch: Option<LeptosOptions>) -> impl IntoView + use<> {
    let title = format!("{} · Hostbeat", initial_data.host.name);
    let mode = initial_data.view.mode.as_str();
    // All addresses are relative to the dashboard's, so a page below it needs that as its base.
    let base = (initial_data.view.mode == PageMode::Embed).then(|| view! { <base href="../"/> });
    // Beside the dashboard, so that the library needs no code for it.
    let arrange = format!("panels?panels={}", initial_data.view.panels);
    let arrange = (initial_data.view.mode == PageMode::Full).then(|| {
        let recordings =
            use_context::<KeepsHistory>().map(|_| view! { <a href="recordings">"Recordings"</a>" \u{b7} " });
        view! { <nav class="page coverage" aria-label="More">{recordings}<a href=arrange>"Arrange panels"</a></nav> }
    });
    let start = initial_data.to_script().ok().and_then(|data| start_scripts(parts, data));
    view! {
        <!DOCTYPE html>
        <html lang="en" translate="no" class=mode>
            <head>
                {base}
                {page_head(title, parts.style.clone())}
                <script inner_html=head_script()></script>
                <noscript inner_html=REFRESH></noscript>
                {start}
                {watch.map(|options| view! { <AutoReload options/> })}
            </head>
            <body>{dashboard(initial_data, &Ports::NONE)}{arrange}</body>
        </html>
    }
}

/// The head of every page with panels.
pub(super) fn page_head(title: String, style: String) -> impl IntoView {
    view! {
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <meta name="format-detection" content="telephone=no"/>
        <title>{title}</title>
        <link rel="icon" type="image/svg+xml" href="favicon.svg"/>
        <link rel="apple-touch-icon" href="icon-192.png"/>
        <link rel="manifest" href="manifest.webmanifest" crossorigin="use-credentials"/>
        <link rel="stylesheet" href=style/>
    }
}

pub(super) fn head_script() -> String {
    [HEAD_SCRIPT, REDRAW_SCRIPT].concat()
}

/// The inline scripts of the document. The content security policy allows these by their hashes.
pub fn inline_scripts(parts: &Parts, watch: Option<LeptosOptions>) -> Vec<String> {
    let scripts = [Some(head_script()), start_script(parts), watch.and_then(reload_script)];
    scripts.into_iter().flatten().collect()
}

/// The script of [`AutoReload`], which only its element reveals.
fn reload_script(options: LeptosOptions) -> Option<String> {
    let element = view! { <AutoReload options/> }.to_html();
    let (_, script) = element.split_once('>')?;
    Some(script.rsplit_once("</script>")?.0.to_owned())
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

/// Hydrates the page. An extension may have changed the page so that hydration traps; the page is then loaded again and
/// restored to what the server sends right before it is hydrated. The history entry remembers that over later reloads.
fn start_script(parts: &Parts) -> Option<String> {
    let (script, wasm) = parts.script.as_ref().zip(parts.wasm.as_ref())?;
    // For the offline page of an installed app. Not every browser allows a service worker here.
    const REGISTER_WORKER: &str = "navigator.serviceWorker?.register(\"sw.js\").catch(() => {});";
    // On a drawing, the page itself handles the key.
    const PAUSE_WITH_SPACE: &str = "addEventListener(\"keydown\",(event)=>{\
        if(event.code!=\"Space\"||event.target!=document.body)return;\
        if(event.shiftKey||event.ctrlKey||event.metaKey||event.altKey)return;\
        event.preventDefault();event.repeat||document.getElementById(\"pause\").click()});";
    Some(format!(
        "try{{const{{default:init,hydrate}}=await import(\"{script}\");await init({{module_or_path:\"{wasm}\"}});\
        if(history.state==\"restore\"){{\
        const sent=new DOMParser().parseFromString(await(await fetch(location.href)).text(),\"text/html\");\
        document.getElementById(\"{INITIAL_DATA_ELEMENT}\").replaceWith(sent.getElementById(\"{INITIAL_DATA_ELEMENT}\"));\
        document.body.replaceWith(sent.body)}}\
        hydrate();{PAUSE_WITH_SPACE}{REGISTER_WORKER}}}\
        catch(error){{if(error.name==\"RuntimeError\"&&history.state!=\"restore\")\
        {{history.replaceState(\"restore\",\"\");location.reload()}}else redraw()}}"
    ))
}

/// The head of a page of forms. `root` is the way to the dashboard where the page is below it, and else empty.
pub(super) fn form_head(parts: &Parts, root: &'static str, title: &'static str) -> impl IntoView + use<> {
    view! {
        <head>
            <meta charset="utf-8"/>
            {(!root.is_empty()).then(|| view! { <base href=root/> })}
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <title>{format!("{title} · Hostbeat")}</title>
            <link rel="icon" type="image/svg+xml" href="favicon.svg"/>
            <link rel="stylesheet" href=parts.account_style.clone()/>
        </head>
    }
}
