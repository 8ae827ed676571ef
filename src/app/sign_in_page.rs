//! The page that asks for a name and a password, or leads to a provider. It needs no script, and password managers fill it
//! in.

use super::{Parts, shell::form_head};
use leptos::prelude::*;

/// What the form shows.
#[derive(Clone, Debug, Default)]
pub struct SignInForm {
    /// What happened before, empty at first.
    pub message: String,
    /// Whether the message says why the last attempt failed.
    pub is_error: bool,
    /// The name of the last attempt.
    pub name: String,
    /// The address to return to.
    pub next: String,
    /// Where else the reader can sign in.
    pub provider: Option<ProviderLink>,
    /// The way to the dashboard, empty for a page beside it.
    pub root: &'static str,
}

/// A provider where readers sign in.
#[derive(Clone, Debug)]
pub struct ProviderLink {
    /// Its name.
    pub name: String,
    /// The address that leads there, relative to the dashboard.
    pub address: String,
}

/// The document with the form.
pub fn sign_in_page(parts: &Parts, form: &SignInForm) -> String {
    let SignInForm { message, is_error, name, next, provider, root } = form.clone();
    // After a failed attempt the name is there already.
    let name_first = name.is_empty();
    let is_wrong = is_error && !name_first;
    let role = if is_error { "alert" } else { "status" };
    let page = view! {
        <!DOCTYPE html>
        <html lang="en">
            {form_head(parts, root, "Sign in")}
            <body>
                <main class="sign-in">
                    <h1>"Sign in"</h1>
                    <form method="post" action="sign-in">
                        {(!message.is_empty()).then(|| view! { <p id="message" role=role class:error=is_error>{message}</p> })}
                        <input type="hidden" name="next" value=next/>
                        <label>
                            "Name"
                            <input name="name" value=name autocomplete="username" autocapitalize="none" spellcheck="false"
                                maxlength="64" required autofocus=name_first/>
                        </label>
                        <label>
                            "Password"
                            <input name="password" type="password" autocomplete="current-password" maxlength="1024" required
                                autofocus=!name_first aria-invalid=is_wrong.then_some("true")
                                aria-describedby=is_wrong.then_some("message")/>
                        </label>
                        <button>"Sign in"</button>
                        {provider.map(|ProviderLink { name, address }| view! { <a href=address>{format!("Sign in with {name}")}</a> })}
                    </form>
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
    fn failed_attempt_keeps_the_name_and_focuses_the_password() {
        let parts = Parts { style: "s.css".to_owned(), ..Parts::default() };
        let form = SignInForm {
            message: "Name or password is wrong.".to_owned(),
            is_error: true,
            name: "<ann>".to_owned(),
            next: "embed/cpu".to_owned(),
            ..SignInForm::default()
        };
        let page = sign_in_page(&parts, &form);
        assert!(page.contains("role=\"alert\"") && page.contains("value=\"&lt;ann&gt;\""), "{page}");
        assert!(page.contains("value=\"embed/cpu\""), "{page}");
        let password = page.split("<input").find(|input| input.contains("type=\"password\"")).unwrap();
        assert!(password.contains("autofocus") && password.contains("aria-invalid=\"true\""), "{password}");
        assert_eq!(page.matches("autofocus").count(), 1, "{page}");
        assert!(!page.contains("<script") && !page.contains("<base"), "{page}");
    }

    #[test]
    fn page_with_a_provider_leads_there_from_any_depth() {
        let parts = Parts { style: "s.css".to_owned(), ..Parts::default() };
        let provider = ProviderLink { name: "<Acme>".to_owned(), address: "sign-in/oidc?next=embed%2Fcpu".to_owned() };
        let page =
            sign_in_page(&parts, &SignInForm { provider: Some(provider), root: "../../", ..SignInForm::default() });
        assert!(page.contains("<base href=\"../../\">"), "{page}");
        assert!(page.contains("<a href=\"sign-in/oidc?next=embed%2Fcpu\">Sign in with &lt;Acme&gt;</a>"), "{page}");
    }
}
