//! The HTML page for errors.

use super::Parts;
use leptos::prelude::*;

/// A document with a status, a title and a sentence on what to do instead. `root` is the address of the dashboard.
pub fn message_page(parts: &Parts, root: &str, status: u16, title: &'static str, detail: &str) -> String {
    document(parts, root, status, title, detail, false)
}

/// The document shown at any address while the server is unreachable. It reloads that address until the server answers.
pub fn offline_page(parts: &Parts) -> String {
    let detail =
        "Hostbeat can't be reached. The page returns as soon as this device has a network and the server runs.";
    document(parts, "./", 503, "Out of reach", detail, true)
}

fn document(parts: &Parts, root: &str, status: u16, title: &'static str, detail: &str, reloads: bool) -> String {
    let page = view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <base href=root.to_owned()/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                {reloads.then(|| view! { <meta http-equiv="refresh" content="5"/> })}
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
        let parts = Parts { style: "./s.css".to_owned(), ..Parts::default() };
        let page = message_page(&parts, "../", 400, "Unknown window", "<script>alert(1)</script>");
        assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
        assert!(page.contains("<base href=\"../\">"), "{page}");
        assert!(page.contains("<title>Unknown window · Hostbeat</title>"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
        assert!(!page.contains("<script") && !page.contains("http-equiv"), "{page}");
    }

    #[test]
    fn offline_page_reloads_the_address_it_is_shown_at() {
        let page = offline_page(&Parts { style: "/s.css".to_owned(), ..Parts::default() });
        assert!(page.contains("<meta http-equiv=\"refresh\" content=\"5\">"), "{page}");
    }
}
