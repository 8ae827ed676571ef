//! Tests of signing in at an OpenID Connect provider: oidc-provider-mock, with the real binary.

use super::{
    prometheus::PeerProcess,
    server_process::{ServerProcess, hostbeat},
    sign_in::{PASSWORD, agent, command, cookie, header},
    support::{project_path, wait_until},
};
use serde_json::{Value, json};
use std::{fs, process::Command};
use tempfile::TempDir;
use ureq::{Body, http::Response};
use url::Url;

/// The provider, with the users `ann` of the group `ops` and `bob` of no group.
struct Provider(PeerProcess);

impl Provider {
    fn start(flags: &[&str]) -> Self {
        let program = project_path("target/venv/bin/oidc-provider-mock");
        assert!(fs::exists(&program).unwrap(), "{program} is missing: `make clients` installs it");
        let provider = Self(PeerProcess::start(&program, |address| {
            let listen =
                ["--host", &address.ip().to_string(), "--port", &address.port().to_string()].map(str::to_owned);
            listen.into_iter().chain(flags.iter().map(|flag| (*flag).to_owned())).collect()
        }));
        let discovery = format!("{}/.well-known/openid-configuration", provider.issuer());
        wait_until("the provider answers", || ureq::get(&discovery).call().is_ok());
        for (subject, groups) in [("ann", json!(["staff", "ops"])), ("bob", json!([]))] {
            let claims = json!({"preferred_username": subject, "groups": groups}).to_string();
            let user = format!("{}/users/{subject}", provider.issuer());
            ureq::put(user).content_type("application/json").send(claims).unwrap();
        }
        provider
    }

    fn issuer(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// Where the provider sends the browser after its user filled in the form.
    fn answer(&self, address: &str, form: [(&str, &str); 1]) -> Url {
        assert!(address.starts_with(&self.issuer()), "{address}");
        let answer = agent().post(address).send_form(form).unwrap();
        Url::parse(header(&answer, "location")).unwrap()
    }
}

/// A server whose users sign in at the provider.
struct Server {
    process: ServerProcess,
    folder: TempDir,
}

impl Server {
    fn start(issuer: &str, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut start = hostbeat(&["--oidc-issuer", issuer, "--oidc-admin-group", "ops", "--data"]);
        start.arg(folder.path());
        if !flags.contains(&"--listen") {
            start.args(["--listen", "127.0.0.1:0"]);
        }
        if !flags.contains(&"--oidc-client-id") {
            start.args(["--oidc-client-id", "hostbeat"]).env("HOSTBEAT_OIDC_CLIENT_SECRET", "s3cret");
        }
        Self {
            process: ServerProcess::start({
                start.args(flags);
                start
            }),
            folder,
        }
    }

    fn get(&self, path: &str, cookie: &str) -> Response<Body> {
        agent().get(format!("http://{}{path}", self.process.address)).header("cookie", cookie).call().unwrap()
    }

    /// The provider's address for a new sign-in, and the cookie that binds it to the browser.
    fn depart(&self) -> (String, String) {
        let departure = self.get("/sign-in/oidc?next=embed%2Fcpu%3Fwindow%3D60", "");
        assert_eq!(departure.status(), 303);
        (header(&departure, "location").to_owned(), cookie(&departure))
    }

    /// The response to a browser that the provider sends back.
    fn finish(&self, answer: &Url, cookie: &str) -> Response<Body> {
        self.get(&format!("{}?{}", answer.path(), answer.query().unwrap_or_default()), cookie)
    }

    /// The response to a user who signs in at the provider.
    fn sign_in(&self, provider: &Provider, subject: &str) -> Response<Body> {
        let (address, browser) = self.depart();
        self.finish(&provider.answer(&address, [("sub", subject)]), &browser)
    }
}

/// The cookie of the session that a response opens.
fn session(response: &Response<Body>) -> String {
    let cookies = response.headers().get_all("set-cookie").into_iter().map(|value| value.to_str().unwrap());
    let session = cookies.filter_map(|cookie| cookie.split(';').next()).find(|cookie| cookie.starts_with("hostbeat="));
    session.expect("a session's cookie").to_owned()
}

/// A refused sign-in shows the form with a message, and opens no session.
fn assert_refused(mut response: Response<Body>, status: u16, message: &str) {
    let cookies = response.headers().get_all("set-cookie").into_iter().map(|value| value.to_str().unwrap().to_owned());
    assert!(!cookies.into_iter().any(|cookie| cookie.starts_with("hostbeat=")), "a session");
    let page = response.body_mut().read_to_string().unwrap();
    assert_eq!(response.status(), status, "{page}");
    assert!(page.contains(message) && page.contains("action=\"sign-in\"") && page.contains("<base href="), "{page}");
}

#[test]
fn user_of_the_provider_gets_a_session_in_the_role_of_the_groups() {
    let provider = Provider::start(&["--require-nonce"]);
    let server = Server::start(&provider.issuer(), &[]);
    assert_eq!(server.get("/api/snapshot", "").status(), 401);
    let mut page = server.get("/sign-in?next=embed%2Fcpu", "");
    let page = page.body_mut().read_to_string().unwrap();
    assert!(page.contains("<a href=\"sign-in/oidc?next=embed%2Fcpu\">Sign in with 127.0.2.1</a>"), "{page}");

    for (subject, is_admin) in [("ann", true), ("bob", false)] {
        let signed_in = server.sign_in(&provider, subject);
        assert_eq!(
            (signed_in.status().as_u16(), header(&signed_in, "location")),
            (303, "../../embed/cpu?window=60"),
            "{subject}"
        );
        let session = session(&signed_in);
        for path in ["/api/snapshot", "/api/stream"] {
            assert_eq!(server.get(path, &session).status(), 200, "{path}");
        }
        let settings = server.get("/settings", &session).body_mut().read_to_string().unwrap();
        assert_eq!(settings.contains("add-user"), is_admin, "{subject}");
        assert!(
            server.get("/", &session).body_mut().read_to_string().unwrap().contains(&format!("<summary>{subject}<"))
        );
    }
}

#[test]
fn departure_carries_state_nonce_and_challenge_and_binds_the_browser() {
    let provider = Provider::start(&[]);
    let server = Server::start(&provider.issuer(), &["--oidc-name", "Acme"]);
    let departure = server.get("/sign-in/oidc", "");
    let attributes = header(&departure, "set-cookie");
    assert!(attributes.contains("HttpOnly; SameSite=Lax") && attributes.contains("Max-Age=600"), "{attributes}");
    let address = Url::parse(header(&departure, "location")).unwrap();
    let parameter = |name: &str| address.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    let callback = format!("http://{}/sign-in/oidc/callback", server.process.address);
    for (name, expected) in [
        ("response_type", "code"),
        ("client_id", "hostbeat"),
        ("scope", "openid profile email"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", &callback),
    ] {
        assert_eq!(parameter(name), expected);
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(parameter(name).len(), 43, "{name}");
    }
    let mut page = server.get("/sign-in", "");
    assert!(page.body_mut().read_to_string().unwrap().contains("Sign in with Acme"));
    let behind_proxy = agent()
        .get(format!("http://{}/sign-in/oidc", server.process.address))
        .header("x-forwarded-proto", "https")
        .call()
        .unwrap();
    assert!(header(&behind_proxy, "location").contains("redirect_uri=https%3A%2F%2F127.0.0.1"));
    assert!(cookie(&behind_proxy).starts_with("__Host-hostbeat-sign-in="));
}

#[test]
fn answer_is_taken_once_and_only_by_the_browser_that_started() {
    let provider = Provider::start(&[]);
    let server = Server::start(&provider.issuer(), &[]);
    let (address, browser) = server.depart();
    let answer = provider.answer(&address, [("sub", "ann")]);
    let expired = "has expired, was finished before, or was started in another browser";
    assert_refused(server.finish(&answer, ""), 400, expired);
    let (_, other_browser) = server.depart();
    assert_refused(server.finish(&answer, &other_browser), 400, expired);
    let mut other_state = answer.clone();
    let code = answer.query_pairs().find(|(name, _)| name == "code").unwrap().1;
    other_state.query_pairs_mut().clear().append_pair("code", &code).append_pair("state", "other");
    assert_refused(server.finish(&other_state, &browser), 400, expired);

    assert_eq!(server.finish(&answer, &browser).status(), 303);
    assert_refused(server.finish(&answer, &browser), 400, expired);
}

#[test]
fn token_of_another_sign_in_client_or_time_is_refused() {
    let provider = Provider::start(&[]);
    let server = Server::start(&provider.issuer(), &[]);
    for name in ["nonce", "client_id"] {
        let (address, browser) = server.depart();
        let mut changed = Url::parse(&address).unwrap();
        let pairs: Vec<_> = changed.query_pairs().into_owned().collect();
        let pairs =
            pairs.into_iter().map(|(key, value)| if key == name { (key, "other".to_owned()) } else { (key, value) });
        changed.query_pairs_mut().clear().extend_pairs(pairs);
        let mut refused = server.finish(&provider.answer(changed.as_str(), [("sub", "ann")]), &browser);
        let page = refused.body_mut().read_to_string().unwrap();
        assert!(refused.status() == 502 && page.contains("an answer that can"), "{name}: {page}");
    }
    let (address, browser) = server.depart();
    let mut foreign = provider.answer(&address, [("sub", "ann")]);
    foreign.query_pairs_mut().append_pair("iss", "https://evil.example");
    assert_eq!(server.finish(&foreign, &browser).status(), 502);

    let late = Provider::start(&["--token-max-age", "-120"]);
    let mut server = Server::start(&late.issuer(), &[]);
    assert_eq!(server.sign_in(&late, "ann").status(), 502);
    server.process.find_line("compare the clocks");
}

#[test]
fn user_in_no_group_who_declines_or_has_a_local_name_is_refused() {
    let provider = Provider::start(&[]);
    let server = Server::start(&provider.issuer(), &["--oidc-viewer-group", "staff"]);
    assert_refused(server.sign_in(&provider, "bob"), 403, "bob is in no group that may see this host");
    let (address, browser) = server.depart();
    let declined = provider.answer(&address, [("action", "deny")]);
    assert!(declined.query().unwrap().contains("error=access_denied"), "{declined}");
    // This provider leaves the state out, which others must not.
    let state = Url::parse(&address).unwrap().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let mut with_state = declined.clone();
    if !declined.query_pairs().any(|(name, _)| name == "state") {
        with_state.query_pairs_mut().append_pair("state", &state);
    }
    assert_refused(server.finish(&with_state, &browser), 403, "The sign-in was declined at 127.0.2.1");

    command(&server.folder, &["user", "add", "ann", "--password-stdin"], PASSWORD);
    assert_refused(server.sign_in(&provider, "ann"), 403, "ann is a user of this server, too");
}

#[test]
fn secret_of_the_file_is_sent_and_a_wrong_one_opens_no_session() {
    let provider = Provider::start(&["--require-registration"]);
    let callback = "http://127.0.0.1:1/sign-in/oidc/callback";
    let registration = json!({"redirect_uris": [callback]}).to_string();
    let mut registered = ureq::post(format!("{}/oauth2/clients", provider.issuer()))
        .content_type("application/json")
        .send(registration)
        .unwrap();
    let client: Value = serde_json::from_str(&registered.body_mut().read_to_string().unwrap()).unwrap();
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    for (secret, expected) in [(secret, 303), ("wrong", 502)] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, format!("{secret}\n")).unwrap();
        let path = file.path().to_str().unwrap();
        let flags = ["--oidc-client-id", id, "--oidc-client-secret-file", path, "--oidc-redirect-url", callback];
        let server = Server::start(&provider.issuer(), &flags);
        assert_eq!(server.sign_in(&provider, "ann").status(), expected);
    }
}

#[test]
fn provider_that_is_out_of_reach_is_named_and_stops_nothing() {
    let provider = Provider::start(&[]);
    let issuer = provider.issuer();
    let server = Server::start(&issuer, &[]);
    let (address, browser) = server.depart();
    let answer = provider.answer(&address, [("sub", "ann")]);
    drop(provider);
    assert_refused(server.finish(&answer, &browser), 503, "127.0.2.1 is out of reach");

    // Nobody but its users can sign in, so other hosts may reach it.
    let mut late = Server::start(&issuer, &["--listen", "0.0.0.0:0"]);
    let warning = "nobody can sign in at the OpenID Connect provider yet";
    // It may come before the address.
    if !late.process.log.contains(warning) {
        late.process.find_line(warning);
    }
    late.process.address = late.process.address.replace("0.0.0.0", "127.0.0.1");
    assert_refused(late.get("/sign-in/oidc", ""), 503, "127.0.2.1 is out of reach");
    assert_eq!(late.get("/healthz", "").status(), 200);
}

#[test]
fn callbacks_count_as_attempts_to_sign_in() {
    let server = Server::start("http://127.0.0.1:1", &[]);
    let mut statuses = (0..60).map(|_| server.get("/sign-in/oidc/callback?state=a&code=b", "").status().as_u16());
    assert_eq!(statuses.next(), Some(400));
    assert!(statuses.any(|status| status == 429));
}

#[test]
fn unusable_options_end_the_start_and_the_check_with_code_2() {
    let outcome = |mut command: Command| {
        let output = command.output().unwrap();
        (
            output.status.code(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    };
    let id = ["--oidc-client-id", "a"];
    for (flags, expected) in [
        (&["--oidc-issuer", "https://id.example.com"][..], "--oidc-client-id"),
        (&id, "--oidc-issuer"),
        (&["--oidc-issuer", "http://id.example.com", id[0], id[1]], "https://id.example.com/realms/main"),
        (
            &["--oidc-issuer", "https://id.example.com", id[0], id[1], "--oidc-client-secret-file", "/nowhere/secret"],
            "/nowhere/secret",
        ),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = flags.chunks(2).map(|pair| format!("{} = \"{}\"\n", pair[0].trim_start_matches('-'), pair[1]));
        fs::write(&file, lines.collect::<String>()).unwrap();
        let check = hostbeat(&["config", "check", file.path().to_str().unwrap()]);
        for command in [hostbeat(&[&["--listen", "127.0.0.1:0"], flags].concat()), check] {
            let (code, output) = outcome(command);
            assert!(code == Some(2) && output.contains(expected), "{code:?}: {output}");
        }
    }
}
