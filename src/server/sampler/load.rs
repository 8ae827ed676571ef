//! Load averages, tasks and uptime from `/proc/loadavg` and `/proc/uptime` (proc_loadavg(5), proc_uptime(5)).

use super::{Clock, HostSource, rate::PreviousReading};
use crate::schema::{Load, Sample};

/// Samples load averages, the number of tasks and the uptime.
#[derive(Debug, Default)]
pub(super) struct LoadSampler {
    previous: PreviousReading<Load>,
    text: String,
}

impl LoadSampler {
    pub(super) fn sample(&mut self, t: u64, source: &mut impl HostSource, clock: &impl Clock) -> Option<Sample<Load>> {
        let text = &mut self.text;
        let read = || {
            source.read_cached("/proc/loadavg", text).ok()?;
            let load = parse_loadavg(text);
            let uptime =
                source.read_cached("/proc/uptime", text).ok().and_then(|()| text.split(' ').next()?.parse().ok());
            Some(Load { uptime_seconds: uptime, ..load })
        };
        self.previous.next_sample(t, clock, read, |_, current, _| current.clone())
    }
}

/// Parses `0.20 0.18 0.12 1/80 11206`: the averages, runnable and total tasks, and the newest process id.
fn parse_loadavg(text: &str) -> Load {
    let mut fields = text.split(' ');
    let mut average = || fields.next().and_then(|field| field.parse().ok());
    let (one, five, fifteen) = (average(), average(), average());
    let tasks = fields.next().and_then(|field| field.split_once('/')?.1.parse().ok());
    Load { one, five, fifteen, tasks, uptime_seconds: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    #[test]
    fn load_has_averages_tasks_and_uptime() {
        let mut source = RecordedHost::default()
            .with("/proc/loadavg", "0.20 0.18 12.12 1/80 11206\n")
            .with("/proc/uptime", "350735.47 234388.90\n");
        let (mut sampler, clock) = (LoadSampler::default(), ManualClock::at(0.0));
        sampler.sample(0, &mut source, &clock);
        let load = sampler.sample(1000, &mut source, &clock).unwrap().values;
        assert_eq!((load.one, load.five, load.fifteen), (Some(0.2), Some(0.18), Some(12.12)));
        assert_eq!((load.tasks, load.uptime_seconds), (Some(80), Some(350_735.47)));
    }

    #[test]
    fn malformed_loadavg_fields_are_unknown() {
        assert_eq!(parse_loadavg("garbage 1"), Load { five: Some(1.0), ..Load::default() });
        assert_eq!(parse_loadavg(""), Load::default());
    }
}
