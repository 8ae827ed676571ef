//! Tests of workers that fail, and of clients that take a chunk slowly.

use super::*;
use crate::{
    schema::{Process, Processes, Sample},
    server::{
        delivery::CHUNK_TIMEOUT,
        log::tests::{exhaust_chunk_memory, tick},
        stream::tests::viewer,
    },
};
use std::{io::Read, net::TcpListener};

/// Longer than any test.
const STALL_TIMEOUT: Duration = Duration::from_secs(3600);

/// A worker of the role, and the workers that it is one of.
fn worker(role: WorkerRole, log: &Arc<TickLog>, statistics: &Arc<Statistics>) -> (Worker, Arc<Workers>) {
    let ((live, live_inbox), (catch_up, catch_up_inbox)) =
        (WorkerHandle::new(log).unwrap(), WorkerHandle::new(log).unwrap());
    let workers = Arc::new(Workers { live: vec![live], catch_up, next: AtomicUsize::new(0) });
    let (poll, inbox) = if role == WorkerRole::Live { live_inbox } else { catch_up_inbox };
    let worker = Worker::new(role, poll, inbox, Arc::clone(&workers), log, STALL_TIMEOUT, Arc::clone(statistics));
    (worker, workers)
}

fn connection(log: &Arc<TickLog>, query: &str, socket: TcpStream) -> Connection {
    Connection::new(mio::net::TcpStream::from_std(socket), viewer(log, query))
}

/// A viewer's socket, and the one that a worker writes to.
fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let viewer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let socket = listener.accept().unwrap().0;
    socket.set_nonblocking(true).unwrap();
    (viewer, socket)
}

#[test]
fn failed_worker_is_counted_closes_its_sockets_and_serves_new_viewers() {
    let failures: [fn() -> io::Result<()>; 2] = [|| panic!("injected"), || Err(io::ErrorKind::OutOfMemory.into())];
    for fail in failures {
        let log = Arc::<TickLog>::default();
        log.publish(&tick(1000));
        let statistics = Statistics::new(&log);
        let (worker, workers) = worker(WorkerRole::Live, &log, &statistics);
        let add = |socket| workers.add(connection(&log, "window=0", socket));
        let ((mut first, first_socket), (mut second, second_socket)) = (sockets(), sockets());
        add(first_socket);
        thread::scope(|scope| {
            scope.spawn(|| {
                let (head, mut failure) = (log.watch_head(), Some(fail));
                supervise(worker, &statistics, |worker| match failure.take() {
                    Some(fail) => {
                        worker.receive();
                        fail()
                    }
                    None => worker.run(&head),
                });
            });
            let mut received = Vec::new();
            // A reset is an end, too.
            let _ = first.read_to_end(&mut received);
            assert!(!received.is_empty(), "the first viewer was served before the failure");
            add(second_socket);
            second.read_exact(&mut [0]).unwrap();
            workers.live[0].send(Message::Drain(Instant::now()));
        });
        assert_eq!(statistics.failed_workers.get(), 1);
    }
}

#[test]
fn slow_client_is_closed_only_while_memory_for_chunks_is_exhausted() {
    let log = Arc::<TickLog>::default();
    let name: String = std::iter::repeat_n('x', 1 << 20).collect();
    for second in 1..=20 {
        let values = Processes { total: 1, top: vec![Process { name: name.clone(), ..Process::default() }] };
        let processes = Sample { t: second * 1000, at: 0.0, dt: 1.0, values };
        log.publish(&tick(second * 1000).with(processes));
    }
    let statistics = Statistics::new(&log);
    let (mut worker, workers) = worker(WorkerRole::CatchUp, &log, &statistics);
    let (_client, socket) = sockets();
    workers.add(connection(&log, "last_event_id=1000-0-e3b0c4", socket));
    worker.receive();
    let (blocked, viewers) = (Instant::now(), || log.subscribers().viewers());
    worker.pump_all(blocked + 2 * CHUNK_TIMEOUT, false);
    assert_eq!(viewers(), 1, "there is memory");
    let exhausted = exhaust_chunk_memory(&log);
    worker.pump_all(blocked + CHUNK_TIMEOUT / 2, false);
    assert_eq!(viewers(), 1, "the client has time left");
    worker.pump_all(blocked + CHUNK_TIMEOUT, false);
    assert_eq!(viewers(), 0);
    drop(exhausted);
}
