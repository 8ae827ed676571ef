//! The two threads of a receiver.

use super::{
    Origin,
    queue::Queue,
    receiver::Receiver,
    request_maker::{MAX_TICKS, Order, RequestMaker, follow},
    sender::Sender,
};
use crate::server::{
    export::{HostMetrics, ReceiverStatistics},
    log::TickLog,
};
use std::{
    io,
    sync::{Arc, mpsc},
    thread,
    time::Instant,
};

/// Pushes to one receiver.
#[derive(Debug)]
pub(super) struct Pusher {
    orders: mpsc::SyncSender<Order>,
    /// Ends with the sender's thread.
    stopped: mpsc::Receiver<()>,
}

impl Pusher {
    pub(super) fn start(
        log: &Arc<TickLog>,
        receiver: Receiver,
        origin: Origin,
        metrics: HostMetrics,
        statistics: ReceiverStatistics,
    ) -> io::Result<Self> {
        let (orders, ordered) = mpsc::sync_channel(MAX_TICKS);
        let (stopping, stopped) = mpsc::channel::<()>();
        let (format, step, queue) = (receiver.target.format, receiver.target.step, Arc::<Queue>::default());
        let maker = RequestMaker { format, origin, metrics, queue: Arc::clone(&queue), statistics: statistics.clone() };
        let sender = Sender::new(receiver, queue, statistics);
        thread::Builder::new().name("push-make".to_owned()).spawn(move || maker.run(&ordered))?;
        thread::Builder::new().name("push-send".to_owned()).spawn(move || {
            sender.run();
            drop(stopping);
        })?;
        follow(log, step, orders.clone());
        Ok(Self { orders, stopped })
    }

    /// Sends what waits until `deadline`.
    pub(super) fn stop(&self, deadline: Instant) {
        // A thread that failed is none to stop.
        let _ = self.orders.send(Order::Stop(deadline));
    }

    /// Waits until the sender has stopped, or for `deadline`: a request that is under way can't be ended.
    pub(super) fn wait(&self, deadline: Instant) {
        let _ = self.stopped.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}
