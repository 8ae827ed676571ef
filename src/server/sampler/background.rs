//! Reads what takes longer than a tick may wait, on a thread of its own.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

/// A reading that is made when asked for, and fetched later.
pub(super) struct Background<T> {
    asks: SyncSender<()>,
    told: Arc<Mutex<Option<T>>>,
}

impl<T> fmt::Debug for Background<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Background<T> {
    /// Starts a thread that calls `read` whenever it is asked, until this is dropped.
    pub(super) fn start(name: &str, mut read: impl FnMut() -> Option<T> + Send + 'static) -> Self {
        let (asks, asked) = sync_channel(1);
        let told = Arc::default();
        let background = Self { asks, told: Arc::clone(&told) };
        let answer = move || {
            while asked.recv().is_ok() {
                let reading = read();
                *told.lock().unwrap_or_else(PoisonError::into_inner) = reading;
            }
        };
        if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(answer) {
            tracing::warn!(%error, name, "no thread could be started; this page will lack what it reads");
        }
        background
    }

    /// Has it read anew. One that hasn't come to the last asking will be asked once.
    pub(super) fn ask(&self) {
        // Full, which says that it is asked already, or without a thread, of which the log has told.
        let _ = self.asks.try_send(());
    }

    /// What it has read since this was last called.
    pub(super) fn take(&self) -> Option<T> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, time::Duration};

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn nothing_is_read_unasked_and_nobody_waits() {
        let (go, goes) = mpsc::channel::<u32>();
        let (read, reads) = mpsc::channel();
        let background = Background::start("test", move || {
            let told = goes.recv_timeout(PATIENCE).ok();
            read.send(()).unwrap();
            told
        });
        assert_eq!(background.take(), None);
        go.send(7).unwrap();
        background.ask();
        reads.recv_timeout(PATIENCE).unwrap();
        let told = std::iter::from_fn(|| Some(background.take())).flatten().next();
        assert_eq!(told, Some(7));
        assert_eq!(background.take(), None, "it is told once");
        // The reading hangs; asking goes on.
        (0..5).for_each(|_| background.ask());
        assert_eq!(background.take(), None);
    }
}
