//! Tests of users who sign in at a proxy, with the real binary.

use super::{
    server_process::{ServerProcess, hostbeat},
    sign_in::{PASSWORD, agent, command, cookie, header},
    support::wait_until,
};
use tempfile::TempDir;
use ureq::{Body, http::Response};

/// A server that believes the user's name from proxies in this network.
pub(crate) fn start(folder: &TempDir, trusted: &str) -> ServerProcess {
    let mut start = hostbeat(&["--listen", "127.0.0.1:0", "--trusted-proxy", trusted]);
    start.args(["--trusted-user-header", "Remote-User", "--data"]).arg(folder.path());
    ServerProcess::start(start)
}

fn get(server: &ServerProcess, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let request = agent().get(format!("http://{}{path}", server.address));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).call().unwrap()
}

const PAGE: (&str, &str) = ("accept", "text/html");

#[test]
fn page_load_opens_a_session_that_needs_no_header() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder, "127.0.0.1");
    assert_eq!(get(&server, "/", &[PAGE]).status(), 303);
    assert_eq!(get(&server, "/api/snapshot", &[]).status(), 401);

    let mut page = get(&server, "/", &[PAGE, ("remote-user", "ann")]);
    assert_eq!(page.status(), 200);
    assert!(page.body_mut().read_to_string().unwrap().contains("<summary>ann</summary>"));
    let ann = cookie(&page);
    for path in ["/api/snapshot", "/api/stream"] {
        assert_eq!(get(&server, path, &[("cookie", &ann)]).status(), 200, "{path}");
    }
    let again = get(&server, "/", &[PAGE, ("cookie", &ann), ("remote-user", "ann")]);
    assert_eq!((again.status().as_u16(), header(&again, "set-cookie")), (200, ""));
    let mut other = get(&server, "/", &[PAGE, ("cookie", &ann), ("remote-user", "bob")]);
    assert!(other.body_mut().read_to_string().unwrap().contains("<summary>bob</summary>"));
    assert_ne!(cookie(&other), ann);
    let program = get(&server, "/api/snapshot", &[("remote-user", "ann")]);
    assert_eq!((program.status().as_u16(), header(&program, "set-cookie")), (200, ""));
}

#[test]
fn user_of_a_proxy_is_a_viewer_unless_the_store_has_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder, "127.0.0.1");
    let settings = || {
        let page = get(&server, "/settings", &[PAGE, ("remote-user", "ann")]).body_mut().read_to_string().unwrap();
        assert!(page.contains("own-password"), "{page}");
        page.contains("add-user")
    };
    assert!(!settings());
    command(&folder, &["user", "add", "ann", "--role", "admin", "--password-stdin"], PASSWORD);
    wait_until("the user has the store's role", settings);
}

#[test]
fn name_from_elsewhere_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder, "192.0.2.1");
    let claimed = [PAGE, ("remote-user", "ann"), ("x-forwarded-for", "192.0.2.1")];
    assert_eq!(get(&server, "/", &claimed).status(), 303);
    assert_eq!(get(&server, "/api/snapshot", &claimed).status(), 401);
}
