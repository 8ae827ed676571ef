//! The page that arranges the dashboard's panels: a form that needs no script. With one, panels can also be dragged.

use super::{Parts, shell::form_head};
use leptos::prelude::*;

/// What the form shows.
#[derive(Clone, Debug, Default)]
pub struct ArrangeView {
    /// The panels in their order.
    pub panels: Vec<ArrangedPanel>,
    /// Why the arrangement could not be kept; empty at first.
    pub error: String,
    /// The panel that was moved last: the button that did it keeps the focus.
    pub focus: Option<(String, Direction)>,
}

/// A panel in the list.
#[derive(Clone, Debug)]
pub struct ArrangedPanel {
    /// Its name in the address.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Whether the dashboard shows it.
    pub is_shown: bool,
}

/// Where a panel is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the top of the page.
    Up,
    /// Towards the end of the page.
    Down,
}

/// The document.
pub fn arrange_page(parts: &Parts, view: ArrangeView) -> String {
    let ArrangeView { panels, error, focus } = view;
    let rows = panels.into_iter().map(|panel| {
        let focus = focus.as_ref().filter(|(moved, _)| *moved == panel.id).map(|(_, direction)| *direction);
        row(panel, focus)
    });
    let rows = rows.collect_view();
    // The Enter key presses the first button of a form: Save.
    let page = view! {
        <!DOCTYPE html>
        <html lang="en">
            {form_head(parts, "", "Arrange panels")}
            <body>
                <main class="arrange">
                    <nav><a href="./">"Dashboard"</a></nav>
                    <h1>"Arrange panels"</h1>
                    {(!error.is_empty()).then(|| view! { <p role="alert" class="error">{error}</p> })}
                    <p>"The order and choice of panels in this browser. Panels that appear later are added at the end."</p>
                    <p id="keys" hidden>
                        "Drag a panel by its handle. With the keyboard: Space lifts it, the arrow keys move it, Space drops it, and Escape cancels."
                    </p>
                    <form method="post" action="panels" autocomplete="off">
                        <p class="actions">
                            <button>"Save"</button>
                            <button name="reset" value="1">"Reset"</button>
                        </p>
                        <ol>{rows}</ol>
                    </form>
                    <p class="live" aria-live="assertive"></p>
                </main>
                <script type="module" src=parts.arrange_script.clone()></script>
            </body>
        </html>
    };
    page.to_html()
}

fn row(panel: ArrangedPanel, focus: Option<Direction>) -> impl IntoView {
    let ArrangedPanel { id, title, is_shown } = panel;
    let [up, down] = [Direction::Up, Direction::Down].map(|direction| focus == Some(direction));
    view! {
        <li>
            <input type="hidden" name="panel" value=id.clone()/>
            <button type="button" class="handle" aria-label=format!("Reorder {title}") aria-describedby="keys" aria-pressed="false" hidden>"⠿"</button>
            <label><input type="checkbox" name="shown" value=id.clone() checked=is_shown/> {title.clone()}</label>
            <button name="up" value=id.clone() aria-label=format!("Move {title} up") autofocus=up>"↑"</button>
            <button name="down" value=id aria-label=format!("Move {title} down") autofocus=down>"↓"</button>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(focus: Option<(String, Direction)>) -> String {
        let panel =
            |id: &str, title: &str, is_shown| ArrangedPanel { id: id.to_owned(), title: title.to_owned(), is_shown };
        let panels = vec![panel("memory", "Memory", true), panel("shop", "<b>Shop</b>", false)];
        let parts = Parts { arrange_script: "arrange.js".to_owned(), ..Parts::default() };
        arrange_page(&parts, ArrangeView { panels, focus, ..ArrangeView::default() })
    }

    #[test]
    fn panels_are_listed_in_order_and_shown_ones_are_checked() {
        let page = page(None);
        let (memory, shop) = page.split_once("value=\"shop\"").unwrap();
        assert!(memory.contains("value=\"memory\" checked") && !shop.contains("checked"), "{page}");
        assert!(page.contains("Move &lt;b&gt;Shop&lt;/b&gt; up") && !page.contains("<b>Shop"), "{page}");
        assert!(!page.contains("autofocus"), "{page}");
    }

    #[test]
    fn button_that_moved_a_panel_keeps_the_focus() {
        let page = page(Some(("shop".to_owned(), Direction::Down)));
        assert_eq!(page.matches("autofocus").count(), 1, "{page}");
        assert!(
            page.contains("name=\"down\" value=\"shop\" aria-label=\"Move &lt;b&gt;Shop&lt;/b&gt; down\" autofocus"),
            "{page}"
        );
    }
}
