//! Tests under which names, and for pages of which origins, the server answers.

use super::support::{TestServer, tick};
use hostbeat::server::{Settings, log::TickLog};

/// What shows the host.
const PRIVATE: [&str; 6] = ["/", "/embed/cpu", "/chart/cpu.svg", "/api/stream", "/api/snapshot", "/metrics"];

fn server(settings: Settings) -> TestServer {
    let log = TickLog::default();
    log.publish(&tick(1_000_000_000_000));
    TestServer::serve_with(log, settings)
}

/// The response to HEAD, which has no end for a stream's GET.
fn head(server: &TestServer, path: &str, headers: &str) -> String {
    server.send_raw(&format!("HEAD {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n"))
}

fn status(server: &TestServer, path: &str, headers: &str) -> u16 {
    let response = head(server, path, headers);
    response.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{path}: {response:?}"))
}

#[test]
fn rebound_name_reads_nothing_of_the_host() {
    let server = server(Settings::default());
    for path in PRIVATE {
        let rebound = "Host: evil.example:3000\r\nSec-Fetch-Site: same-origin\r\n";
        assert_eq!(status(&server, path, rebound), 421, "{path}");
        let with_origin = format!("{rebound}Origin: http://evil.example:3000\r\n");
        assert_eq!(status(&server, path, &with_origin), 421, "{path}");
        for own in ["localhost", "LOCALHOST:3000", "a.localhost", "127.0.0.1:3000", "[::1]:3000", "192.0.2.1"] {
            assert_eq!(status(&server, path, &format!("Host: {own}\r\n")), 200, "{path} as {own}");
        }
    }
    for path in ["/healthz", "/robots.txt"] {
        assert_eq!(status(&server, path, "Host: hostbeat.monitoring.svc:3000\r\n"), 200, "{path}");
    }
    let page = server.send_raw("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert!(page.contains("--allow-host evil.example"), "{page}");
}

#[test]
fn name_of_allow_host_flag_is_admitted() {
    let allow_host = vec!["hostbeat.example.com".parse().unwrap()];
    let server = server(Settings { allow_host, ..Settings::default() });
    for path in PRIVATE {
        assert_eq!(status(&server, path, "Host: Hostbeat.example.com:8443\r\n"), 200, "{path}");
        let forwarded = "Host: other.example.com\r\nX-Forwarded-Host: hostbeat.example.com\r\n";
        assert_eq!(status(&server, path, forwarded), 421, "{path}");
    }
}

#[test]
fn request_without_one_host_is_invalid_in_http_1_1() {
    let server = server(Settings::default());
    for path in ["/", "/healthz", "/api/snapshot"] {
        assert_eq!(status(&server, path, ""), 400, "{path}");
        assert_eq!(status(&server, path, "Host: localhost\r\nHost: localhost\r\n"), 400, "{path}");
    }
    assert!(server.send_raw("GET /healthz HTTP/1.0\r\n\r\n").contains("200 OK"));
}

#[test]
fn cross_site_request_is_refused_except_navigation_and_allowed_origin() {
    let allow_origin = vec!["https://status.example.com".parse().unwrap()];
    let server = server(Settings { allow_origin, ..Settings::default() });
    for path in PRIVATE {
        let status = |headers: &str| status(&server, path, &format!("Host: localhost\r\n{headers}"));
        let image = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n";
        assert_eq!(status(image), 403, "{path}");
        assert_eq!(status(&format!("{image}Referer: https://evil.example/\r\n")), 403, "{path}");
        assert_eq!(status(&format!("{image}Referer: https://status.example.com/wall\r\n")), 200, "{path}");
        assert_eq!(status("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"), 200, "{path}");
        assert_eq!(status("Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n"), 200, "{path}");
        let fetch = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nOrigin: https://";
        assert_eq!(status(&format!("{fetch}evil.example\r\n")), 403, "{path}");
        assert_eq!(status(&format!("{fetch}status.example.com\r\n")), 200, "{path}");
    }
}

#[test]
fn known_public_file_is_not_sent_again() {
    let server = server(Settings::default());
    for path in ["/sw.js", "/manifest.webmanifest", "/favicon.svg"] {
        let (first, _) = server.get(path);
        let tag = first.headers["etag"].to_str().unwrap();
        let (second, body) = server.request("GET", path, &[("if-none-match", tag)]);
        assert_eq!((second.status.as_u16(), &*body), (304, ""), "{path}");
    }
}

#[test]
fn stream_refused_by_host_or_origin_is_counted() {
    let server = server(Settings::default());
    assert_eq!(status(&server, "/api/stream", "Host: evil.example\r\n"), 421);
    assert_eq!(status(&server, "/api/stream", "Host: localhost\r\nOrigin: https://evil.example\r\n"), 403);
    let (_, metrics) = server.get("/metrics");
    for status in [421, 403] {
        let line = format!("hostbeat_streams_refused_total{{status=\"{status}\"}} 1\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

#[test]
fn refusal_of_untrusted_proxy_names_the_flag() {
    let server = server(Settings { max_streams_per_address: 1, ..Settings::default() });
    let _open = server.open_stream("", &[]);
    for (header, is_proxy) in [("x-forwarded-for", true), ("via", true), ("x-other", false)] {
        let (head, body) = server.request("GET", "/api/stream", &[(header, "198.51.100.7")]);
        assert_eq!(head.status, 429);
        assert_eq!(body.contains("--trusted-proxy 127.0.0.1"), is_proxy, "{header}: {body}");
    }
}
