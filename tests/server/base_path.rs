//! Tests a server below a path, and pages behind a proxy that removes one.

use super::support::{TestServer, tick};
use hostbeat::server::{Settings, log::TickLog};

fn server(base_path: &str) -> TestServer {
    let log = TickLog::default();
    log.publish(&tick(1_000_000_000_000));
    TestServer::serve_with(log, Settings { base_path: base_path.to_owned(), ..Settings::default() })
}

#[test]
fn everything_answers_below_the_base_path_only() {
    let server = server("/site/monitor");
    for path in [
        "/",
        "/?kiosk",
        "/embed/cpu",
        "/chart/cpu.svg",
        "/api/snapshot",
        "/metrics",
        "/healthz",
        "/offline",
        "/docs/operations.md",
        "/sw.js",
        "/manifest.webmanifest",
        "/favicon.ico",
    ] {
        assert_eq!(server.get(&format!("/site/monitor{path}")).0.status, 200, "{path}");
        let (head, body) = server.get(path);
        assert_eq!(head.status, 404, "{path}");
        assert!(head.headers.contains_key("content-security-policy"), "{path}");
        assert!(body.contains("<base href=\"/site/monitor/\">"), "{path}: {body}");
    }
    assert_eq!(server.get("/site/monitoring").0.status, 404);
    let hello = server.send_raw(
        "GET /site/monitor/api/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n",
    );
    assert!(hello.starts_with("HTTP/1.1 406") && hello.contains("application/problem+json"), "{hello}");
}

#[test]
fn base_path_without_slash_redirects_to_it() {
    let server = server("/monitor");
    for (path, location) in [("/monitor", "/monitor/"), ("/monitor?kiosk", "/monitor/?kiosk")] {
        let response = server.send_raw(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        assert!(response.starts_with("HTTP/1.1 308"), "{response}");
        assert!(response.contains(&format!("location: {location}\r\n")), "{response}");
    }
}

/// The addresses in a document: of links, styles, scripts and images.
fn addresses(page: &str) -> Vec<&str> {
    let attributes = ["href=\"", "src=\"", "from \"", "module_or_path: \"", "register(\""];
    attributes.iter().flat_map(|name| page.split(name).skip(1)).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// A proxy that removes the prefix needs no flag, because no address starts at the root.
#[test]
fn addresses_are_relative_in_every_document() {
    let server = server("");
    for path in ["/", "/embed/cpu", "/offline", "/no/such/page", "/manifest.webmanifest", "/chart/none.svg"] {
        let (_, page) = server.get(path);
        let addresses = addresses(&page);
        assert!(path.ends_with("webmanifest") || !addresses.is_empty(), "{path}");
        assert!(!addresses.iter().any(|address| address.starts_with('/')), "{path}: {addresses:?}");
        assert!(!page.contains(": \"/"), "{path}: {page}");
    }
    for (path, base) in
        [("/embed/cpu", "../"), ("/no/such/page", "../../"), ("/chart/none.svg", "../"), ("/offline", "./")]
    {
        assert!(server.get(path).1.contains(&format!("<base href=\"{base}\">")), "{path}");
    }
}
