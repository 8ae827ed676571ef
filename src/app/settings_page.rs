//! The settings: the reader's own password and sessions, and for administrators all users, tokens and sessions. Plain forms
//! that need no script.

use super::{Parts, shell::form_head};
use crate::units::timestamp;
use leptos::prelude::*;

/// What the settings show.
#[derive(Clone, Debug, Default)]
pub struct SettingsView {
    /// The user who looks at them.
    pub user: String,
    /// Whether the user may change those of others.
    pub is_admin: bool,
    /// What the last change did, or why it failed; empty at first.
    pub message: String,
    /// Whether the message says why a change failed.
    pub is_error: bool,
    /// The secret of a new token, which is shown once.
    pub secret: Option<String>,
    /// All users; empty for viewers.
    pub users: Vec<UserRow>,
    /// All tokens; empty for viewers.
    pub tokens: Vec<TokenRow>,
    /// All sessions, or the reader's own.
    pub sessions: Vec<SessionRow>,
}

/// A user in the list.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// The name.
    pub name: String,
    /// `viewer` or `admin`.
    pub role: String,
}

/// A token in the list.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// The id, which is no secret.
    pub id: String,
    /// The name.
    pub name: String,
    /// `read`, `publish` or `admin`.
    pub scope: String,
    /// When it expires, Unix ms.
    pub expires: Option<u64>,
    /// When it was last used, Unix ms.
    pub last_used: Option<u64>,
}

/// A session in the list.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// The id, which is no secret.
    pub id: String,
    /// The user's name.
    pub user: String,
    /// The client's address.
    pub address: String,
    /// The browser, as it calls itself.
    pub agent: String,
    /// When it began, Unix ms.
    pub since: u64,
    /// When it was last used, Unix ms.
    pub last_seen: u64,
    /// Whether the reader looks at the settings with it.
    pub is_own: bool,
}

/// The document.
pub fn settings_page(parts: &Parts, settings: SettingsView) -> String {
    let SettingsView { user, is_admin, message, is_error, secret, users, tokens, sessions } = settings;
    let role = if is_error { "alert" } else { "status" };
    let page = view! {
        <!DOCTYPE html>
        <html lang="en">
            {form_head(parts, "", "Settings")}
            <body>
                <main class="settings">
                    <nav>
                        <a href="./">"Dashboard"</a>
                        {is_admin.then(|| view! { " " <a href="settings/channels">"Channels"</a> })}
                    </nav>
                    <h1>"Settings"</h1>
                    {(!message.is_empty()).then(|| view! { <p role=role class:error=is_error>{message}</p> })}
                    {secret.map(|secret| view! {
                        <p role="status">"The token, which is shown only now: "<code>{secret}</code></p>
                    })}
                    {own_password(&user)}
                    {session_list(sessions, is_admin)}
                    {is_admin.then(|| (user_list(users), token_list(tokens)))}
                </main>
            </body>
        </html>
    };
    page.to_html()
}

fn own_password(user: &str) -> impl IntoView + use<> {
    view! {
        <section aria-labelledby="account">
            <h2 id="account">{user.to_owned()}</h2>
            <form method="post" action="settings">
                <input hidden name="username" value=user.to_owned() autocomplete="username"/>
                <label>"Current password" <input name="current" type="password" autocomplete="current-password" required/></label>
                <label>"New password" <input name="password" type="password" autocomplete="new-password" minlength="8" required/></label>
                <button name="change" value="own-password">"Change password"</button>
            </form>
            <form method="post" action="sign-out"><button>"Sign out"</button></form>
        </section>
    }
}

fn session_list(sessions: Vec<SessionRow>, is_admin: bool) -> impl IntoView {
    let rows = sessions.into_iter().map(|session| {
        let end = if session.is_own { view! { "this one" }.into_any() } else { end_session(&session).into_any() };
        view! {
            <tr>
                <th scope="row">{session.user}</th>
                <td>{session.address}</td>
                <td class="agent">{session.agent}</td>
                <td>{time(session.since)}</td>
                <td>{time(session.last_seen)}</td>
                <td>{end}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section aria-labelledby="sessions">
            <h2 id="sessions">{if is_admin { "Signed in" } else { "Your sessions" }}</h2>
            <div class="scrolls" tabindex="0" role="group" aria-labelledby="sessions">
                <table>
                    <thead>
                        <tr><th>"User"</th><th>"From"</th><th>"Browser"</th><th>"Since"</th><th>"Last seen"</th><td></td></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}

fn end_session(session: &SessionRow) -> impl IntoView + use<> {
    let label = format!("End the session of {} from {}", session.user, session.address);
    row_button("end-session", session.id.clone(), "End", label)
}

fn user_list(users: Vec<UserRow>) -> impl IntoView {
    let rows = users.into_iter().map(|UserRow { name, role }| {
        let label = format!("Remove the user {name}");
        view! {
            <tr>
                <th scope="row">{name.clone()}</th>
                <td>{role}</td>
                <td>{row_button("remove-user", name, "Remove", label)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section aria-labelledby="users">
            <h2 id="users">"Users"</h2>
            <div class="scrolls" tabindex="0" role="group" aria-labelledby="users">
                <table>
                    <thead><tr><th>"Name"</th><th>"Role"</th><td></td></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <form method="post" action="settings">
                <label>"Name" <input name="name" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64" required/></label>
                <label>"Password" <input name="password" type="password" autocomplete="new-password" minlength="8" required/></label>
                <label>"Role" <select name="role"><option>"viewer"</option><option>"admin"</option></select></label>
                <button name="change" value="add-user">"Add user"</button>
            </form>
        </section>
    }
}

fn token_list(tokens: Vec<TokenRow>) -> impl IntoView {
    let rows = tokens.into_iter().map(|TokenRow { id, name, scope, expires, last_used }| {
        let label = format!("Revoke the token {name}");
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td>{scope}</td>
                <td>{expires.map_or("never".to_owned(), time)}</td>
                <td>{last_used.map_or("never".to_owned(), time)}</td>
                <td>{row_button("revoke-token", id, "Revoke", label)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section aria-labelledby="tokens">
            <h2 id="tokens">"Tokens"</h2>
            <div class="scrolls" tabindex="0" role="group" aria-labelledby="tokens">
                <table>
                    <thead><tr><th>"Name"</th><th>"May"</th><th>"Expires"</th><th>"Last used"</th><td></td></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <form method="post" action="settings">
                <label>"Name" <input name="name" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="64" required/></label>
                <label>"May" <select name="scope"><option>"read"</option><option>"publish"</option><option>"admin"</option></select></label>
                <label>"Expires in" <input name="expires" placeholder="90d, or empty for never" autocomplete="off"/></label>
                <button name="change" value="add-token">"Add token"</button>
            </form>
        </section>
    }
}

fn row_button(change: &'static str, subject: String, text: &'static str, label: String) -> impl IntoView {
    view! {
        <form method="post" action="settings">
            <input type="hidden" name="subject" value=subject/>
            <button name="change" value=change aria-label=label>{text}</button>
        </form>
    }
}

/// `2026-11-20 10:41 UTC`.
fn time(t: u64) -> String {
    let text = timestamp(t);
    format!("{} {} UTC", &text[..10], &text[11..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(is_admin: bool) -> String {
        let parts = Parts { style: "s.css".to_owned(), ..Parts::default() };
        let session = SessionRow {
            id: "s1".to_owned(),
            user: "ann".to_owned(),
            address: "192.0.2.1".to_owned(),
            agent: "<script>alert(1)</script>".to_owned(),
            since: 1_763_635_265_000,
            last_seen: 1_763_635_265_000,
            is_own: false,
        };
        let settings = SettingsView {
            user: "ann".to_owned(),
            is_admin,
            sessions: vec![SessionRow { is_own: true, id: "own".to_owned(), ..session.clone() }, session],
            ..SettingsView::default()
        };
        settings_page(&parts, settings)
    }

    #[test]
    fn viewer_sees_no_users_and_tokens() {
        let (viewer, admin) = (page(false), page(true));
        for change in ["add-user", "add-token"] {
            assert!(!viewer.contains(change) && admin.contains(change), "{change}");
        }
    }

    #[test]
    fn session_of_the_page_cannot_be_ended_from_its_row() {
        let page = page(true);
        assert!(page.contains("value=\"s1\"") && !page.contains("value=\"own\""), "{page}");
        assert!(page.contains("2025-11-20 10:41 UTC"), "{page}");
        assert!(!page.contains("<script"), "{page}");
    }
}
