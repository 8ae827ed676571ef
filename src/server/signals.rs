//! Waits for the signals that stop the server.

use std::io;
#[cfg(unix)]
use std::io::IsTerminal;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM, Ctrl-C, and SIGHUP.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    hangup: Signal,
    /// Without a terminal, SIGHUP requests a reload.
    #[cfg(unix)]
    stops_at_hangup: bool,
}

impl Signals {
    /// Installs handlers for the signals.
    ///
    /// # Errors
    /// When a handler can't be installed.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            hangup: signal(SignalKind::hangup())?,
            #[cfg(unix)]
            stops_at_hangup: io::stdin().is_terminal(),
        })
    }

    /// Waits for the next signal that stops the server, which includes the end of its terminal. A signal to reload calls
    /// `reload`.
    pub(super) async fn stop(&mut self, mut reload: impl AsyncFnMut()) {
        #[cfg(unix)]
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => if self.stops_at_hangup { return } else { reload().await },
            }
        }
        #[cfg(not(unix))]
        {
            let (_never, _) = (&mut reload, tokio::signal::ctrl_c().await);
        }
    }

    /// Waits for a signal that ends the server at once. A closing terminal may send SIGHUP twice.
    pub(super) async fn end_at_once(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
