//! A range of time that all charts mark: a gap, or an annotation.

use super::Colour;
use crate::schema::{Annotation, AnnotationLevel, Window, WindowSlice};

/// A range of time in the colour of what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// First tick, unix ms.
    pub first: u64,
    /// Last tick, unix ms.
    pub last: u64,
    /// The muted colour is a gap's.
    pub colour: Colour,
    /// What happened; empty for a gap.
    pub text: String,
}

impl Span {
    /// Whether no second of it was sampled.
    pub fn is_gap(&self) -> bool {
        self.colour == Colour::Mute
    }

    /// The annotations in a slice, newest first, and then its gaps.
    pub fn list(window: &Window, slice: WindowSlice, annotations: &[Annotation]) -> Vec<Self> {
        let last = slice.last(window).unwrap_or_default();
        let first = last.saturating_sub(slice.seconds as u64 * window.step_ms());
        let in_view = annotations.iter().rev().filter(|annotation| annotation.t <= last && annotation.end() >= first);
        let mut spans: Vec<_> = in_view.map(Self::of_annotation).collect();
        let gap = |(first, last)| Self { first, last, colour: Colour::Mute, text: String::new() };
        spans.extend(window.gaps(slice).into_iter().map(gap));
        spans
    }

    fn of_annotation(annotation: &Annotation) -> Self {
        let (colour, level) = match annotation.level {
            AnnotationLevel::Info => (Colour::Blue, ""),
            AnnotationLevel::Warning => (Colour::Amber, "warning: "),
            AnnotationLevel::Critical => (Colour::Red, "critical: "),
        };
        let separator = if annotation.text.is_empty() { "" } else { " \u{b7} " };
        let text = [level, &annotation.title, separator, &annotation.text].concat();
        Self { first: annotation.t, last: annotation.end(), colour, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Cpu;

    #[test]
    fn list_has_what_is_in_view_newest_first_with_its_level() {
        let mut window = Window::new(60);
        for t in [50, 52, 60] {
            window.record(t * 1000, &Cpu::default());
        }
        let (title, text) = ("deploy".to_owned(), "by ann".to_owned());
        let annotation = |t, until, level| {
            let (title, text) = (title.clone(), text.clone());
            Annotation { t, until, level, title, text, ..Annotation::default() }
        };
        let annotations = [
            annotation(1_000, None, AnnotationLevel::Info),
            annotation(2_000, Some(55_000), AnnotationLevel::Critical),
            annotation(57_000, None, AnnotationLevel::Info),
            annotation(61_000, None, AnnotationLevel::Info),
        ];
        let spans = Span::list(&window, WindowSlice::newest(10), &annotations);
        let texts: Vec<_> = spans.iter().map(|span| (span.first / 1000, &*span.text)).collect();
        assert_eq!(texts[..2], [(57, "deploy \u{b7} by ann"), (2, "critical: deploy \u{b7} by ann")]);
        assert!(spans[2..].iter().all(Span::is_gap) && spans.len() > 2, "{spans:?}");
    }
}
