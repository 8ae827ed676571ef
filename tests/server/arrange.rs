//! Tests of the order and choice of panels that a browser keeps.

use super::{
    sign_in::{agent, cookie, header},
    support::{TestServer, tick},
};
use hostbeat::{
    panels::host_panels,
    server::{Settings, log::TickLog},
};
use ureq::{Body, http::Response};

fn server(base_path: &str) -> TestServer {
    let log = TickLog::default();
    log.publish(&tick(1_000_000_000_000));
    TestServer::serve_with(log, Settings { base_path: base_path.to_owned(), ..Settings::default() })
}

/// All panels, those of `first` first.
fn order(first: &[&str]) -> Vec<String> {
    let rest = host_panels().into_iter().map(|panel| panel.id).filter(|id| !first.contains(&&**id));
    first.iter().map(|&id| id.to_owned()).chain(rest).collect()
}

/// Sends the form from the page, with the panels in `order` and without those in `hidden`.
fn post(
    server: &TestServer,
    path: &str,
    order: &[String],
    hidden: &[&str],
    button: Option<(&str, &str)>,
) -> Response<Body> {
    let panels = order.iter().map(|id| ("panel", &**id));
    let shown = order.iter().filter(|id| !hidden.contains(&&***id)).map(|id| ("shown", &**id));
    let fields: Vec<_> = panels.chain(shown).chain(button).collect();
    let origin = format!("http://{}", server.address);
    agent().post(format!("{origin}{path}")).header("origin", &origin).send_form(fields).unwrap()
}

/// The panels of a page, in its order.
fn panels(page: &str) -> Vec<&str> {
    page.split("<section id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// The panels of the form, in its order.
fn rows(page: &str) -> Vec<&str> {
    page.split("name=\"panel\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn saved_arrangement_is_kept_by_cookie_and_the_address_goes_before_it() {
    let server = server("");
    let mut chosen = order(&["memory", "processes", "disk"]);
    let saved = post(&server, "/panels", &chosen, &["cpu", "load"], None);
    chosen.retain(|id| !["cpu", "load"].contains(&&**id));
    assert_eq!(saved.status(), 303);
    assert_eq!(header(&saved, "location"), format!("./?panels={}", chosen.join(",")));
    let attributes = header(&saved, "set-cookie");
    assert!(attributes.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000"), "{attributes}");

    let kept = cookie(&saved);
    let get = |path: &str| server.request("GET", path, &[("cookie", &kept)]);
    for path in ["/", "/?kiosk", &format!("/?panels={}", chosen.join(","))] {
        let (head, page) = get(path);
        assert_eq!(panels(&page), chosen, "{path}");
        assert!(page.contains("aria-label=\"Overview\""), "{path}");
        assert!(head.headers.get_all("vary").iter().any(|name| name == "cookie"), "{path}");
    }
    assert_eq!(panels(&get("/?panels=load,cpu").1), ["load", "cpu"]);
    assert_eq!(panels(&get("/embed/load,cpu").1), ["load", "cpu"]);
    let gone = server.request("GET", "/?panels=shop,disk", &[("cookie", "panels=shop.~cpu")]);
    assert_eq!((gone.0.status.as_u16(), panels(&gone.1)), (200, vec!["disk"]), "a channel no longer exists");
    assert_eq!(panels(&server.get("/").1), order(&[]), "another browser has its own");
    let form = get("/panels").1;
    assert_eq!(rows(&form), order(&["memory", "processes", "disk"]));
    assert_eq!(form.matches(" checked").count(), chosen.len(), "{form}");
    assert!(get("/").1.contains(&format!("href=\"panels?panels={}\"", chosen.join(","))));
}

#[test]
fn reset_and_the_pages_own_order_have_the_browser_forget() {
    let server = server("/monitor");
    let reset = post(&server, "/monitor/panels", &order(&["disk"]), &["cpu"], Some(("reset", "1")));
    for forgotten in [reset, post(&server, "/monitor/panels", &order(&[]), &[], None)] {
        assert_eq!((forgotten.status().as_u16(), header(&forgotten, "location")), (303, "./"));
        assert_eq!(header(&forgotten, "set-cookie"), "panels=; HttpOnly; SameSite=Lax; Path=/monitor/; Max-Age=0");
    }
}

#[test]
fn panel_is_moved_without_a_script_and_what_is_not_saved_stays() {
    let server = server("");
    let mut moved = post(&server, "/panels", &order(&[]), &["disk"], Some(("up", "memory")));
    let page = moved.body_mut().read_to_string().unwrap();
    assert_eq!((moved.status().as_u16(), header(&moved, "set-cookie")), (200, ""));
    assert_eq!(rows(&page), order(&["memory"]));
    assert_eq!(page.matches(" checked").count(), order(&[]).len() - 1, "{page}");
    let focused = page.split("<button").find(|button| button.contains("autofocus")).unwrap();
    assert!(focused.contains("Move Memory up"), "{focused}");
}

#[test]
fn arrangement_without_a_panel_is_refused_and_stays_in_the_form() {
    let server = server("");
    let all: Vec<_> = order(&[]);
    let hidden: Vec<_> = all.iter().map(String::as_str).collect();
    let mut refused = post(&server, "/panels", &order(&["disk"]), &hidden, None);
    let page = refused.body_mut().read_to_string().unwrap();
    assert_eq!((refused.status().as_u16(), header(&refused, "set-cookie")), (400, ""));
    assert!(page.contains("role=\"alert\"") && page.contains("Choose at least one."), "{page}");
    assert_eq!(rows(&page), order(&["disk"]));
    assert!(!page.contains(" checked"), "{page}");
}

#[test]
fn malformed_cookie_shows_the_pages_own_order() {
    let server = server("");
    for cookie in ["panels=", "panels=gone.~lost", "panels=%00..~~;panels", "panels=<script>"] {
        let (head, page) = server.request("GET", "/", &[("cookie", cookie)]);
        assert_eq!((head.status.as_u16(), panels(&page)), (200, order(&[]).iter().map(String::as_str).collect()));
        assert_eq!(server.request("GET", "/panels", &[("cookie", cookie)]).0.status, 200, "{cookie}");
    }
}

#[test]
fn form_begins_with_the_address_that_the_reader_came_from() {
    let server = server("");
    let form = server.get("/panels?panels=disk,cpu").1;
    assert_eq!(rows(&form), order(&["disk", "cpu"]));
    assert_eq!(form.matches(" checked").count(), 2, "{form}");
    assert_eq!(server.get("/panels?panels=gpu").0.status, 404);
}

#[test]
fn form_of_another_page_is_refused() {
    let server = server("");
    let address = format!("http://{}/panels", server.address);
    for origin in ["https://evil.example", "null"] {
        let refused = agent().post(&address).header("origin", origin).send_form([("reset", "1")]).unwrap();
        assert_eq!((refused.status().as_u16(), header(&refused, "set-cookie")), (403, ""), "{origin}");
    }
}

#[test]
fn page_runs_its_own_script_only() {
    let server = server("");
    let (head, page) = server.get("/panels");
    let policy = head.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let script = page.split("src=\"./").nth(1).unwrap().split('"').next().unwrap();
    let (head, _) = server.get(&format!("/{script}"));
    assert_eq!(head.headers["content-type"], "text/javascript; charset=utf-8");
    assert!(!server.get("/").1.contains(script), "the dashboard does not load it");
}
