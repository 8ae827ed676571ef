//! Sets up the server's own log messages, as text or JSON. A thread writes them, because a pipe that nobody reads blocks
//! its writers.

use super::config::LogFormat;
use std::{
    collections::VecDeque,
    io::{self, IsTerminal, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};
use tracing::Level;
use tracing_subscriber::{
    Layer, Registry, filter::LevelFilter, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

/// Messages that wait to be written; more are dropped and counted.
const MAX_QUEUED: usize = 1024;
/// How long the end of the server waits for its last messages to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The server's log.
#[derive(Debug)]
pub struct Telemetry {
    level: reload::Handle<LevelFilter, Registry>,
    /// Dropping it waits for the last messages.
    _queue: LogQueue,
}

/// Writes log messages of `level` and above to standard output from now on.
///
/// # Errors
/// When the thread that writes cannot be started.
pub fn init(format: LogFormat, level: Level) -> io::Result<Telemetry> {
    let json = match format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !io::stdout().is_terminal(),
    };
    let queue = LogQueue::start(io::stdout())?;
    let messages = Arc::clone(&queue.0);
    let writer = move || MessageWriter(Arc::clone(&messages));
    let (filter, level) = reload::Layer::new(LevelFilter::from_level(level));
    let layer = fmt::layer().with_target(false).with_writer(writer);
    let layer = match json {
        true => layer.json().flatten_event(true).boxed(),
        false => layer.with_ansi(io::stdout().is_terminal()).boxed(),
    };
    tracing_subscriber::registry().with(filter).with(layer).init();
    Ok(Telemetry { level, _queue: queue })
}

impl Telemetry {
    /// Writes messages of `level` and above from now on.
    pub(super) fn set_level(&self, level: Level) {
        // Fails only after the log has ended.
        let _ = self.level.reload(LevelFilter::from_level(level));
    }
}

/// The messages that a thread writes.
#[derive(Debug)]
struct LogQueue(Arc<Messages>);

#[derive(Debug, Default)]
struct Messages {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queued: VecDeque<Vec<u8>>,
    is_writing: bool,
    /// Dropped since the last report.
    dropped: u64,
}

impl LogQueue {
    fn start(mut output: impl Write + Send + 'static) -> io::Result<Self> {
        let messages = Arc::<Messages>::default();
        let queue = Self(Arc::clone(&messages));
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            loop {
                let (message, dropped) = messages.next();
                // A message that can't be written is dropped: there is nowhere to report that to.
                let _ = output.write_all(&message).and_then(|()| output.flush());
                if dropped > 0 {
                    tracing::warn!(dropped, "log messages were dropped, because nothing read them");
                }
            }
        })?;
        Ok(queue)
    }
}

impl Drop for LogQueue {
    fn drop(&mut self) {
        let is_pending = |state: &mut State| state.is_writing || !state.queued.is_empty();
        drop(self.0.changed.wait_timeout_while(self.0.lock(), FLUSH_TIMEOUT, is_pending));
    }
}

impl Messages {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a message, or drops it if too many wait; never blocks.
    fn push(&self, message: &[u8]) {
        let mut state = self.lock();
        if state.queued.len() < MAX_QUEUED {
            state.queued.push_back(message.to_owned());
            self.changed.notify_all();
        } else {
            state.dropped += 1;
        }
    }

    /// Waits for the next message; also returns how many have been dropped since the one before.
    fn next(&self) -> (Vec<u8>, u64) {
        let mut state = self.lock();
        state.is_writing = false;
        loop {
            if let Some(message) = state.queued.pop_front() {
                state.is_writing = true;
                return (message, std::mem::take(&mut state.dropped));
            }
            self.changed.notify_all();
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Queues each message, which tracing writes in one piece.
struct MessageWriter(Arc<Messages>);

impl Write for MessageWriter {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        self.0.push(message);
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn unread_pipe_drops_and_counts_messages_without_blocking() {
        let (mut reader, writer) = io::pipe().unwrap();
        let queue = LogQueue::start(writer).unwrap();
        // A pipe holds 64 KiB.
        let mut message = vec![b'x'; 65_536];
        message.push(b'\n');
        let count = 3 * MAX_QUEUED;
        for _ in 0..count {
            queue.0.push(&message);
        }
        let dropped = queue.0.lock().dropped as usize;
        assert!((count - MAX_QUEUED - 1..=count - MAX_QUEUED).contains(&dropped), "{dropped}");
        let mut text = vec![0; (count - dropped) * message.len()];
        reader.read_exact(&mut text).unwrap();
        assert!(text.chunks(message.len()).all(|written| written == message));
    }

    #[test]
    fn dropping_the_queue_waits_until_all_is_written() {
        let (mut reader, writer) = io::pipe().unwrap();
        let queue = LogQueue::start(writer).unwrap();
        (0..9).for_each(|_| queue.0.push(b"message\n"));
        drop(queue);
        let mut text = [0; 9 * 8];
        reader.read_exact(&mut text).unwrap();
        assert_eq!(text, *b"message\n".repeat(9));
    }
}
