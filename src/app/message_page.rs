//! The HTML page for errors.

use super::Parts;
use leptos::prelude::*;

/// A document with a status, a title and a sentence on what to do instead. `root` is the address of the dashboard.
pub fn message_page(parts: &Parts, root: &str, status: u16, title: &'static str, detail: &str) -> String {
    let page = view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <base href=root.to_owned()/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{format!("{title} · Hostbeat")}</title>
                <link rel="icon" type="image/svg+xml" href="favicon.svg"/>
                <link rel="stylesheet" href=parts.style.clone()/>
            </head>
            <body>
                <main class="message">
                    <p class="status">{status}</p>
                    <h1>{title}</h1>
                    <p>{detail.to_owned()}</p>
                    <p><a href="./">"Go to the dashboard"</a></p>
                </main>
            </body>
        </html>
    };
    page.to_html()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_input_is_escaped() {
        let parts = Parts { style: "./s.css".to_owned(), script: None, wasm: None };
        let page = message_page(&parts, "../", 400, "Unknown window", "<script>alert(1)</script>");
        assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
        assert!(page.contains("<base href=\"../\">"), "{page}");
        assert!(page.contains("<title>Unknown window · Hostbeat</title>"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
        assert!(!page.contains("<script"), "{page}");
    }
}
