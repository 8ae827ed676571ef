//! Tests of pages, chart images, assets, security headers and error responses.

use super::support::{TestServer, tick};
use base64::{Engine, prelude::BASE64_STANDARD};
use hostbeat::{
    panels::{PanelKind, host_panels},
    schema::{Finding, Level, Sample, Verdict},
    server::{Settings, log::TickLog},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use ureq::http::header::{ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

/// The panels with a chart.
fn charts() -> impl Iterator<Item = String> {
    host_panels().into_iter().filter(|panel| panel.kind() == PanelKind::Chart).map(|panel| panel.id)
}

#[test]
fn first_response_contains_every_chart() {
    let server = TestServer::sample_host();
    let (head, page) = server.get("/");
    assert_eq!(head.status, 200);
    assert_eq!(head.headers[CONTENT_TYPE], "text/html; charset=utf-8");
    // The CPU panel has a second chart, of the cores.
    assert_eq!(page.matches("<div class=\"still\"><svg ").count(), charts().count() + 1, "{page}");
    for chart in charts() {
        assert!(page.contains(&format!("<section id=\"{chart}\"")), "{chart} is missing in {page}");
    }
    assert!(page.contains("z\"/>"), "no area is drawn: {page}");
    assert!(!page.contains("style="), "an inline style in {page}");
    assert!(page.contains("<noscript><p>Without JavaScript"), "no note for readers without JavaScript: {page}");
}

#[test]
fn page_shows_values_of_newest_tick() {
    let log = TickLog::default();
    log.publish(&tick(1_000_000_000_000));
    let (_, page) = TestServer::serve(log).get("/?window=60");
    // memory.used equals the tick's time: 931.3 GiB.
    assert!(page.contains("<b>931.3</b><small>GiB</small>"), "{page}");
    assert!(page.contains("datetime=\"2001-09-09T01:46:40Z\""), "{page}");
    assert!(page.contains("aria-current=\"true\">1 min"), "{page}");
}

#[test]
fn first_response_contains_verdict() {
    let log = TickLog::default();
    log.publish(&tick(1_000_000_000_000));
    let server = TestServer::serve(log);
    let page = server.get("/").1;
    assert!(page.contains("<b aria-live=\"polite\">Unknown.</b> <!>No samples yet."), "{page}");
    let finding =
        Finding { level: Level::Trouble, text: "The disk vda is slow.".to_owned(), since: Some(1_000_000_000) };
    let values = Verdict { level: Level::Trouble, findings: vec![finding] };
    let verdict = Sample { t: 1_000_000_001_000, at: 0.0, dt: 1.0, values };
    server.log.publish(&tick(1_000_000_001_000).with(verdict));
    let page = server.get("/").1;
    assert!(page.contains("class=\"verdict trouble\"") && page.contains("Unhealthy."), "{page}");
    assert!(page.contains("The disk vda is slow. Since 01:46 UTC."), "{page}");
}

#[test]
fn embedded_panel_may_be_framed_by_allowed_origins() {
    let allow_frame = vec!["https://wiki.example.com".parse().unwrap()];
    let server = TestServer::serve_with(TickLog::default(), Settings { allow_frame, ..Settings::default() });
    let (head, page) = server.get("/embed/cpu?window=60");
    assert_eq!(page.matches("class=\"panel\"").count(), 1, "{page}");
    assert!(
        page.contains("<div class=\"page embed few connecting\">") && page.contains("<section id=\"cpu\""),
        "{page}"
    );
    let policy = head.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors 'self' https://wiki.example.com"), "{policy}");
    let (_, page) = server.get("/?panels=memory,processes&kiosk");
    assert_eq!(page.matches("class=\"panel\"").count(), 2, "{page}");
    assert!(page.contains("href=\"?window=60&amp;kiosk&amp;panels=memory,processes\""), "{page}");
    for unknown in ["/embed/gpu", "/?panels=gpu", "/chart/gpu.svg", "/chart/cpu.gif"] {
        let (head, page) = server.get(unknown);
        assert!(head.status == 404 && page.contains("there are"), "{unknown}: {page}");
    }
}

#[test]
fn chart_is_served_as_svg_and_png() {
    let log = TickLog::default();
    log.publish(&tick(1_000_000_000_000));
    let server = TestServer::serve(log);
    for chart in charts() {
        let (head, image) = server.get(&format!("/chart/{chart}.svg?window=60&theme=dark"));
        assert_eq!(head.headers[CONTENT_TYPE], "image/svg+xml");
        assert!(image.starts_with("<svg ") && image.contains("01:46:40 UTC"), "{image}");
    }
    let pixels = ureq::get(format!("http://{}/chart/cpu.png?window=60", server.address)).call().unwrap();
    assert_eq!(pixels.headers()[CONTENT_TYPE], "image/png");
    let pixels = pixels.into_body().read_to_vec().unwrap();
    assert!(pixels.starts_with(b"\x89PNG"), "{:?}", &pixels[..8]);
}

#[test]
fn policy_allows_exactly_the_inline_scripts_of_the_page() {
    let (head, page) = TestServer::serve(TickLog::default()).get("/");
    let policy = head.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    for part in ["default-src 'self'", "script-src 'self' 'sha256-", "'wasm-unsafe-eval'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{part} is missing in {policy}");
    }
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
    let elements = page.split("<script").skip(1).map(|element| element.split_once('>').unwrap());
    // Data blocks are not executed.
    let scripts = elements.filter(|(attributes, _)| !attributes.contains("application/json"));
    let hashes: BTreeSet<_> = scripts
        .map(|(_, rest)| Sha256::digest(rest.split_once("</script>").unwrap().0))
        .map(|hash| format!("'sha256-{}'", BASE64_STANDARD.encode(hash)))
        .collect();
    let allowed = policy.split([' ', ';']).filter(|source| source.starts_with("'sha256-")).map(str::to_owned);
    assert_eq!(hashes, allowed.collect());
}

#[test]
fn page_changes_with_the_tick_and_its_coding_with_the_request() {
    let log = TickLog::default();
    log.publish(&tick(1_000_000_000_000));
    let server = TestServer::serve(log);
    let (head, first) = server.get("/");
    assert_eq!(head.headers["vary"], "accept-encoding");
    assert_eq!(head.headers[CACHE_CONTROL], "private, no-cache");
    assert_eq!(server.get("/").1, first);
    for (accepted, expected) in [("br, gzip", "br"), ("br;q=0.1, gzip", "gzip")] {
        let (head, body) = server.request("HEAD", "/", &[("accept-encoding", accepted)]);
        assert_eq!((&head.headers[CONTENT_ENCODING], &*body), (&expected.parse().unwrap(), ""));
    }
    server.log.publish(&tick(1_000_000_001_000));
    assert!(server.get("/").1.contains("datetime=\"2001-09-09T01:46:41Z\""));
}

#[test]
fn page_before_first_sample_shows_placeholders() {
    let (head, page) = TestServer::serve(TickLog::default()).get("/");
    assert_eq!(head.status, 200);
    assert!(page.contains("<b>–</b>"), "{page}");
}

#[test]
fn assets_with_fingerprint_are_immutable() {
    let server = TestServer::serve(TickLog::default());
    let (_, page) = server.get("/");
    let style = page.split('"').find(|part| part.starts_with("./assets/") && part.ends_with(".css")).unwrap();
    let style = &style[1..];
    let (head, css) = server.get(style);
    assert_eq!((head.status.as_u16(), head.headers[CONTENT_TYPE].to_str().unwrap()), (200, "text/css; charset=utf-8"));
    assert!(head.headers[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert!(css.contains("--blue"));
    let (head, _) = server.request("HEAD", style, &[("accept-encoding", "br")]);
    assert_eq!((head.status.as_u16(), &head.headers[CONTENT_ENCODING]), (200, &"br".parse().unwrap()));
    assert_eq!(server.get("/favicon.svg").0.headers[CONTENT_TYPE], "image/svg+xml");
    assert_eq!(server.get("/favicon.ico").0.headers[CONTENT_TYPE], "image/svg+xml");
    assert_eq!(server.get("/robots.txt").0.status, 200);
}

#[test]
fn errors_are_html_for_pages_and_problem_json_for_api() {
    let server = TestServer::serve(TickLog::default());
    let long = format!("/?{}", "x".repeat(20_000));
    let long_api = format!("/api/stream?{}", "x".repeat(20_000));
    for (method, path, status, hint) in [
        ("GET", "/?window=7", 400, "60, 300, 900 or 3600"),
        ("GET", "/?window=%3Cscript%3E", 400, "&lt;script&gt;"),
        ("GET", "/nothing", 404, "/api/stream"),
        ("GET", "/assets/hostbeat.js", 404, "/api/stream"),
        ("GET", "/../../etc/passwd", 404, "/api/stream"),
        ("POST", "/", 405, "not POST"),
        ("DELETE", "/robots.txt", 405, "not DELETE"),
        ("GET", &*long, 431, "16384"),
        ("GET", "/api/stream?window=9999", 400, "0 to 3600"),
        ("GET", "/api/stream?events=cpu,gpu", 400, "cpu, memory, load"),
        ("GET", "/api/", 404, "/api/stream"),
        ("GET", "/api/nothing", 404, "/api/stream"),
        ("PUT", "/api/stream", 405, "not PUT"),
        ("GET", &*long_api, 431, "16384"),
    ] {
        let (head, body) = server.request(method, path, &[]);
        let shown = &path[..path.len().min(40)];
        assert_eq!(head.status, status, "{method} {shown}");
        assert!(body.contains(hint), "{method} {shown}: {body}");
        if path.starts_with("/api/") {
            assert_eq!(head.headers[CONTENT_TYPE], "application/problem+json", "{method} {shown}");
            let problem: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(problem["status"], status);
            assert!(problem["title"].is_string() && problem["detail"].is_string());
        } else {
            assert_eq!(head.headers[CONTENT_TYPE], "text/html; charset=utf-8", "{method} {shown}");
            assert!(body.contains("rel=\"stylesheet\""), "{method} {shown} has no stylesheet: {body}");
        }
        assert_eq!(head.headers.contains_key(ALLOW), status == 405);
        assert!(head.headers.contains_key(CONTENT_SECURITY_POLICY), "{method} {shown}");
    }
    assert_eq!(server.get("/").0.status, 200, "the server still responds");
}

#[test]
fn invalid_http_is_refused_and_server_stays_up() {
    let server = TestServer::serve(TickLog::default());
    assert!(server.send_raw("garbage\r\n\r\n").starts_with("HTTP/1.1 400"));
    let huge = format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(100_000));
    assert!(server.send_raw(&huge).starts_with("HTTP/1.1 431"));
    assert_eq!(server.get("/").0.status, 200, "the server still responds");
}
