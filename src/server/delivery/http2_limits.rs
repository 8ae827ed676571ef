//! The bounds of an HTTP/2 connection.

use super::stream_executor::StreamExecutor;
use hyper::server::conn::http2;
use hyper_util::rt::TokioTimer;
use std::time::Duration;

/// What a client may make the server keep or do over one connection.
pub(super) struct Http2Limits {
    /// Requests at once; more are refused with `REFUSED_STREAM`. A page opens one stream, and loads a dozen files.
    max_concurrent_streams: u32,
    /// Streams that the client resets before they are served; more end the connection (CVE-2023-44487).
    max_pending_resets: usize,
    /// Streams that the server resets for a client's errors; more end the connection (CVE-2025-8671).
    max_error_resets: usize,
    /// Unsent bytes of a stream that hyper keeps; past them its body is not polled.
    send_buffer: usize,
    /// Bytes of a request's headers, which bounds `CONTINUATION` frames, too; larger ones are refused.
    header_list_size: u32,
    /// Bytes of a request's body before the server takes them; the client waits.
    receive_window: u32,
    /// A silent client gets a ping after this time …
    ping_interval: Duration,
    /// … and is disconnected when it does not respond in this one.
    ping_timeout: Duration,
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self {
            max_concurrent_streams: 128,
            max_pending_resets: 32,
            max_error_resets: 32,
            send_buffer: 16 * 1024,
            header_list_size: 16 * 1024,
            receive_window: 64 * 1024,
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(10),
        }
    }
}

impl Http2Limits {
    /// Serves connections within the limits, each stream by `executor`.
    pub(super) fn builder(self, executor: StreamExecutor) -> http2::Builder<StreamExecutor> {
        let Self {
            max_concurrent_streams,
            max_pending_resets,
            max_error_resets,
            send_buffer,
            header_list_size,
            receive_window,
            ping_interval,
            ping_timeout,
        } = self;
        let mut http2 = http2::Builder::new(executor);
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(max_concurrent_streams)
            .max_pending_accept_reset_streams(max_pending_resets)
            .max_local_error_reset_streams(max_error_resets)
            .max_send_buf_size(send_buffer)
            .max_header_list_size(header_list_size)
            .initial_stream_window_size(receive_window)
            .initial_connection_window_size(receive_window)
            .keep_alive_interval(ping_interval)
            .keep_alive_timeout(ping_timeout);
        http2
    }
}
