//! The changes of the verdict as sentences.

use crate::schema::{Level, Recording, StoryLine, Verdict};

/// Lines of a story; past them, the newest takes the place of the one before.
const MAX_LINES: usize = 100;
/// The title of a recording without a cause.
const UNTITLED: &str = "Incident";
const MAX_TITLE_CHARS: usize = 200;

/// Makes lines of verdicts.
#[derive(Debug, Default)]
pub(super) struct Narrator {
    level: Level,
    /// The findings of the last verdict, without their numbers.
    known: Vec<(Level, String)>,
}

impl Narrator {
    /// Continues the story of an incident that the server was stopped in.
    pub(super) fn after(story: &[StoryLine]) -> Self {
        let level = story.last().map_or(Level::Unknown, |line| line.level);
        Self { level, known: story.iter().map(|line| (line.level, subject(&line.text))).collect() }
    }

    /// What has changed: each finding that began, that less is wrong now, or that the host is healthy again. A verdict that
    /// doesn't know changes nothing.
    pub(super) fn lines(&mut self, t: u64, verdict: &Verdict) -> Vec<StoryLine> {
        if verdict.level == Level::Unknown {
            return Vec::new();
        }
        let was_unhealthy = self.level >= Level::Watch;
        let findings: Vec<_> = verdict.findings.iter().filter(|finding| finding.level >= Level::Watch).collect();
        let line = |level, text: &str| StoryLine { t, level, text: text.to_owned() };
        let is_known = |level, text| self.known.contains(&(level, subject(text)));
        let begun = findings.iter().filter(|finding| !is_known(finding.level, &finding.text));
        let mut lines: Vec<_> = begun.map(|finding| line(finding.level, &finding.text)).collect();
        if lines.is_empty() && was_unhealthy && verdict.level != self.level {
            lines.push(
                findings
                    .first()
                    .map_or_else(|| line(verdict.level, "Healthy again."), |worst| line(worst.level, &worst.text)),
            );
        }
        self.level = verdict.level;
        self.known = findings.iter().map(|finding| (finding.level, subject(&finding.text))).collect();
        lines
    }
}

/// Adds a line to a recording, whose level, cause and title follow the worst one. A title that somebody wrote stays.
pub(super) fn add_line(recording: &mut Recording, line: &StoryLine) {
    if line.level >= Level::Watch && line.level > recording.level {
        let is_untouched = recording.title == title_of(&recording.cause);
        recording.level = line.level;
        recording.cause.clone_from(&line.text);
        if is_untouched {
            recording.title = title_of(&recording.cause);
        }
    }
    recording.story.truncate(MAX_LINES - 1);
    recording.story.push(line.clone());
}

/// The title of an automatic recording.
pub(super) fn title_of(cause: &str) -> String {
    let clause = cause.split("; ").next().unwrap_or_default().trim_end_matches('.');
    let title = if clause.is_empty() { UNTITLED } else { clause };
    title.chars().take(MAX_TITLE_CHARS).collect()
}

/// What a finding's sentence is about: without the process, the numbers and their units, which change all the time.
fn subject(text: &str) -> String {
    let mut is_unit = false;
    let words = text.split("; ").next().unwrap_or_default().split_whitespace().filter(|word| {
        let is_number = word.starts_with(|first: char| first.is_ascii_digit());
        let is_kept = !is_number && !is_unit;
        is_unit = is_number;
        is_kept
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Finding;
    use Level::{Busy, Fine, Trouble, Unknown, Watch};

    fn verdict(findings: &[(Level, &str)]) -> Verdict {
        let finding = |(level, text): &(Level, &str)| Finding { level: *level, text: (*text).to_owned(), since: None };
        let level = findings.first().map_or(Fine, |(level, _)| *level);
        Verdict { level, findings: findings.iter().map(finding).collect() }
    }

    #[test]
    fn story_has_each_change_once() {
        let slow = (Trouble, "Disk vda slow: 400 ms per request; postgres writes 140 MB/s.");
        let still_slow = (Trouble, "Disk vda slow: 90 ms per request; rsync writes 20 kB/s.");
        let full = (Watch, "Filesystem /srv is 91 % full.");
        let mut narrator = Narrator::default();
        let mut told = Vec::new();
        for (t, findings) in [
            &[][..],
            &[(Busy, "CPU busy 99 %.")],
            &[slow],
            &[still_slow],
            &[still_slow, full],
            &[(Unknown, "Not enough samples: 30 of the last 60 seconds.")],
            &[full],
            &[(Busy, "CPU busy 80 %.")],
            &[],
        ]
        .into_iter()
        .enumerate()
        {
            told.extend(narrator.lines(t as u64, &verdict(findings)));
        }
        let told: Vec<_> = told.iter().map(|line| (line.t, line.level, &*line.text)).collect();
        assert_eq!(told, [(2, Trouble, slow.1), (4, Watch, full.1), (6, Watch, full.1), (7, Busy, "Healthy again.")]);
    }

    #[test]
    fn subject_has_names_but_no_numbers() {
        for (text, expected) in [
            ("Disk nvme0n1 busy 97 %; postgres writes 5.0 MB/s.", "Disk nvme0n1 busy"),
            (
                "Memory use grows by 600.0 MiB/min, full in 8 min; postgres holds 9.0 GiB.",
                "Memory use grows by full in",
            ),
            ("Only 3 % of memory available.", "Only of memory available."),
        ] {
            assert_eq!(subject(text), expected);
        }
    }

    #[test]
    fn title_follows_the_worst_finding_until_somebody_writes_one() {
        let line = |level, text: &str| StoryLine { t: 1, level, text: text.to_owned() };
        let mut recording = Recording { title: title_of(""), level: Fine, ..Recording::default() };
        assert_eq!(recording.title, "Incident");
        add_line(&mut recording, &line(Watch, "Only 3 % of memory available; postgres holds 9.0 GiB."));
        assert_eq!(recording.title, "Only 3 % of memory available");
        add_line(&mut recording, &line(Trouble, "Memory short: swapping in 4.0 MB/s."));
        assert_eq!((&*recording.title, recording.level), ("Memory short: swapping in 4.0 MB/s", Trouble));
        recording.title = "The backup again".to_owned();
        recording.level = Watch;
        add_line(&mut recording, &line(Trouble, "Disk vda slow."));
        assert_eq!((&*recording.title, &*recording.cause), ("The backup again", "Disk vda slow."));
        (0..300).for_each(|_| add_line(&mut recording, &line(Fine, "Healthy again.")));
        assert_eq!(recording.story.len(), MAX_LINES);
    }

    #[test]
    fn narrator_of_a_restart_repeats_nothing() {
        let before = [StoryLine { t: 1, level: Watch, text: "Filesystem /srv is 91 % full.".to_owned() }];
        let mut narrator = Narrator::after(&before);
        assert_eq!(narrator.lines(2, &verdict(&[(Watch, "Filesystem /srv is 92 % full.")])), []);
        assert_eq!(narrator.lines(3, &verdict(&[])).len(), 1);
    }
}
