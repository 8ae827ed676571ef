//! Responses that requests share until the next tick: each is rendered once, in a bounded pool of threads, however many
//! clients request it.

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Clients choose the keys, so their number is bounded.
const MAX_ENTRIES: usize = 512;
const MAX_BYTES: usize = 16 << 20;

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RenderError {
    /// The queue is full.
    #[error("too many responses are being rendered")]
    Busy,
    /// Rendering failed; the server's log has the reason.
    #[error("the response could not be rendered")]
    Failed,
}

type Rendering<T> = Shared<BoxFuture<'static, Result<T, RenderError>>>;

/// Responses of one kind, by what they depend on besides the tick.
pub(super) struct SharedResponses<T: Clone + Send + Sync> {
    entries: Mutex<HashMap<String, Rendering<T>>>,
    size: fn(&T) -> usize,
    threads: Arc<Semaphore>,
    /// Renderings under way or waiting.
    queue: Arc<Semaphore>,
}

impl<T: Clone + Send + Sync> fmt::Debug for SharedResponses<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedResponses").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl<T: Clone + Send + Sync + 'static> SharedResponses<T> {
    /// At most `threads` render at once, and `queue` renderings are under way or waiting. `size` is the bytes of a response.
    pub(super) fn new(threads: usize, queue: usize, size: fn(&T) -> usize) -> Self {
        let (threads, queue) = (Arc::new(Semaphore::new(threads)), Arc::new(Semaphore::new(queue)));
        Self { entries: Mutex::default(), size, threads, queue }
    }

    /// The response of `key`. Requests that come while it is rendered wait for the same rendering.
    pub(super) async fn get(
        &self,
        key: String,
        render: impl FnOnce() -> Result<T, RenderError> + Send + 'static,
    ) -> Result<T, RenderError> {
        self.find_or_start(key, render)?.await
    }

    fn find_or_start(
        &self,
        key: String,
        render: impl FnOnce() -> Result<T, RenderError> + Send + 'static,
    ) -> Result<Rendering<T>, RenderError> {
        let mut entries = self.entries();
        if let Some(rendering) = entries.get(&key) {
            return Ok(rendering.clone());
        }
        let rendering = self.start(render)?;
        let bytes: usize = entries.values().filter_map(|entry| entry.peek()?.as_ref().ok()).map(self.size).sum();
        if entries.len() >= MAX_ENTRIES || bytes > MAX_BYTES {
            entries.retain(|_, entry| entry.peek().is_none());
        }
        entries.insert(key, rendering.clone());
        Ok(rendering)
    }

    /// Renders in a thread of the pool, to the end even if all clients leave.
    fn start(
        &self,
        render: impl FnOnce() -> Result<T, RenderError> + Send + 'static,
    ) -> Result<Rendering<T>, RenderError> {
        let place = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| RenderError::Busy)?;
        let threads = Arc::clone(&self.threads);
        let task = tokio::spawn(async move {
            let permits = (threads.acquire_owned().await, place);
            let rendered = spawn_blocking(move || {
                let _permits = permits;
                render()
            });
            rendered.await.unwrap_or_else(|error| {
                tracing::error!(%error, "cannot render a response");
                Err(RenderError::Failed)
            })
        });
        Ok(task.map(|rendered| rendered.unwrap_or(Err(RenderError::Failed))).boxed().shared())
    }

    /// Drops all responses, when a tick makes them old.
    pub(super) fn clear(&self) {
        let cleared = std::mem::take(&mut *self.entries());
        drop(cleared);
    }

    // A panic can't leave an entry half written.
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Rendering<T>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    fn responses(queue: usize) -> SharedResponses<Vec<u8>> {
        SharedResponses::new(1, queue, Vec::len)
    }

    #[tokio::test]
    async fn concurrent_requests_of_a_key_share_one_rendering_until_cleared() {
        let (responses, rendered) = (responses(1), Arc::new(AtomicUsize::new(0)));
        let get = || {
            let rendered = Arc::clone(&rendered);
            responses.get("/".to_owned(), move || Ok(vec![rendered.fetch_add(1, Ordering::Relaxed) as u8]))
        };
        assert_eq!(join_all((0..100).map(|_| get())).await, vec![Ok(vec![0]); 100]);
        responses.clear();
        assert_eq!(get().await, Ok(vec![1]));
    }

    #[tokio::test]
    async fn request_past_the_queue_is_refused_and_others_complete() {
        let responses = responses(1);
        let (resume, waits) = mpsc::channel::<()>();
        let slow = responses.find_or_start("slow".to_owned(), move || {
            let _ = waits.recv();
            Ok(vec![1])
        });
        assert_eq!(responses.get("other".to_owned(), || unreachable!("past the queue")).await, Err(RenderError::Busy));
        drop(resume);
        assert_eq!(slow.unwrap().await, Ok(vec![1]));
    }

    #[tokio::test]
    async fn panic_while_rendering_fails_its_requests_only() {
        let responses = responses(1);
        assert_eq!(responses.get("bad".to_owned(), || panic!("a bug")).await, Err(RenderError::Failed));
        assert_eq!(responses.get("good".to_owned(), || Ok(vec![1])).await, Ok(vec![1]));
    }

    #[tokio::test]
    async fn kept_responses_stay_within_their_bounds() {
        let responses = responses(1);
        for n in 0..2 * MAX_ENTRIES {
            responses.get(n.to_string(), || Ok(Vec::new())).await.unwrap();
            assert!(responses.entries().len() <= MAX_ENTRIES);
        }
        responses.clear();
        for n in 0..20 {
            responses.get(n.to_string(), || Ok(vec![0; MAX_BYTES / 8])).await.unwrap();
            assert!(responses.entries().len() <= 10);
        }
    }
}
