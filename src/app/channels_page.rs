//! The page on which channels are declared: a form for each, and one for a new one. They need no script.

use super::{Parts, shell::form_head};
use crate::schema::ChartKind;
use leptos::prelude::*;

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct ChannelsView {
    /// What the last change did, or why it failed; empty at first.
    pub message: String,
    /// Whether the message says why a change failed.
    pub is_error: bool,
    /// What was typed when the last change failed.
    pub typed: Option<ChannelForm>,
    /// All channels.
    pub channels: Vec<ChannelForm>,
}

/// The fields of a channel as text.
#[derive(Clone, Debug, Default)]
pub struct ChannelForm {
    /// The name of its event.
    pub name: String,
    /// The heading of its panel.
    pub title: String,
    /// The unit of its values.
    pub unit: String,
    /// How it is drawn.
    pub kind: String,
    /// From here on, a value is worth a warning.
    pub warning: String,
    /// From here on, a value is critical.
    pub critical: String,
    /// Whether somebody declared it.
    pub is_declared: bool,
    /// The names of its values.
    pub values: String,
}

/// The document.
pub fn channels_page(parts: &Parts, view: ChannelsView) -> String {
    let ChannelsView { message, is_error, typed, channels } = view;
    let role = if is_error { "alert" } else { "status" };
    let is_new = |typed: &ChannelForm| channels.iter().all(|known| known.name != typed.name);
    let new = typed.clone().filter(is_new).unwrap_or_default();
    let has_none = channels.is_empty();
    let sections = channels.into_iter().map(|known| {
        let typed = typed.clone().filter(|typed| typed.name == known.name);
        channel(known, typed)
    });
    let sections = sections.collect_view();
    let page = view! {
        <!DOCTYPE html>
        <html lang="en">
            {form_head(parts, "../", "Channels")}
            <body>
                <main class="settings">
                    <nav><a href="../">"Dashboard"</a></nav>
                    <h1>"Channels"</h1>
                    {(!message.is_empty()).then(|| view! { <p role=role class:error=is_error>{message}</p> })}
                    {has_none.then(|| view! { <p>"No program publishes, and nothing is declared."</p> })}
                    {sections}
                    <section aria-labelledby="new">
                        <h2 id="new">"New channel"</h2>
                        {form(new, true, "Declare")}
                    </section>
                </main>
            </body>
        </html>
    };
    page.to_html()
}

fn channel(known: ChannelForm, typed: Option<ChannelForm>) -> impl IntoView {
    let (name, heading) = (known.name.clone(), format!("channel-{}", known.name));
    let label = format!("Remove the channel {name}");
    let about = match (&*known.values, known.is_declared) {
        ("", _) => "Declared; nothing is published.".to_owned(),
        (values, true) => format!("Values: {values}."),
        (values, false) => format!("Values: {values}. Not declared."),
    };
    view! {
        <section aria-labelledby=heading.clone()>
            <h2 id=heading.clone()>{name.clone()}</h2>
            <p>{about}</p>
            {form(typed.unwrap_or(known), false, "Save")}
            <form method="post" action="channels">
                <input type="hidden" name="name" value=name/>
                <button name="change" value="remove" aria-label=label>"Remove"</button>
            </form>
        </section>
    }
}

fn form(channel: ChannelForm, is_new: bool, action: &'static str) -> impl IntoView {
    let ChannelForm { name, title, unit, kind, warning, critical, .. } = channel;
    let kinds = ChartKind::ALL.map(|known| {
        let label = match known {
            ChartKind::Lines => "lines",
            ChartKind::Stacked => "stacked areas",
            ChartKind::Single => "first value alone",
            ChartKind::Timeline => "timeline of states",
        };
        view! { <option value=known.as_str() selected=known.as_str() == kind>{label}</option> }
    });
    let kinds = kinds.into_iter().collect_view();
    let hidden = (!is_new).then(|| view! { <input type="hidden" name="name" value=name.clone()/> });
    let named = is_new.then(|| {
        view! {
            <label>
                "Name"
                <input name="name" value=name pattern="[a-z][a-z0-9_]*" maxlength="64" autocapitalize="none" spellcheck="false"
                    autocomplete="off" required/>
            </label>
        }
    });
    view! {
        <form method="post" action="channels">
            {hidden}
            {named}
            <label>"Title" <input name="title" value=title maxlength="80" autocomplete="off"/></label>
            <label>"Unit" <input name="unit" value=unit maxlength="16" autocomplete="off"/></label>
            <label>"Chart" <select name="kind">{kinds}</select></label>
            <label>"Warning from" <input name="warning" value=warning inputmode="decimal" autocomplete="off"/></label>
            <label>"Critical from" <input name="critical" value=critical inputmode="decimal" autocomplete="off"/></label>
            <button name="change" value="declare">{action}</button>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(view: ChannelsView) -> String {
        let parts = Parts { style: "s.css".to_owned(), ..Parts::default() };
        channels_page(&parts, view)
    }

    fn shop(title: &str) -> ChannelForm {
        let (name, kind) = ("shop".to_owned(), "stacked".to_owned());
        ChannelForm { name, kind, title: title.to_owned(), ..ChannelForm::default() }
    }

    #[test]
    fn hostile_title_is_text() {
        let page =
            page(ChannelsView { channels: vec![shop("\"><script>alert(1)</script>")], ..ChannelsView::default() });
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("<option value=\"stacked\" selected"), "{page}");
    }

    #[test]
    fn refused_change_keeps_what_was_typed_in_its_form() {
        let (channels, typed) = (vec![shop("Shop")], Some(shop("Typed")));
        let changed = page(ChannelsView { channels, typed: typed.clone(), ..ChannelsView::default() });
        assert!(changed.contains("value=\"Typed\"") && !changed.contains("value=\"Shop\""), "{changed}");
        let new = page(ChannelsView { typed, ..ChannelsView::default() });
        assert_eq!(new.matches("value=\"Typed\"").count(), 1, "{new}");
    }
}
