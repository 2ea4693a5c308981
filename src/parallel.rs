//! Work on all cores: each thread has its own handle on the store and its own cache of tables.

use crate::state::Tables;
use crate::store::Objects;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Items that a thread takes at a time, so that neighbours share its cache: at least so many, and more where there
/// are many, for what one thread has read or made is read again by the next.
const CHUNK: usize = 64;
/// Parts for each thread, so that none is idle for long at the end.
const PARTS: usize = 6;
/// Bytes of parsed objects that each thread keeps.
const CACHE: usize = 48 * 1024 * 1024;

/// How many threads to use.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Maps parts of a slice, in order, each with the place where it begins: one part where there are few items.
pub fn parts<T: Sync, R: Send>(
    items: &[T],
    few: usize,
    work: impl Fn(usize, &[T]) -> R + Sync,
) -> Vec<R> {
    let threads = threads();
    if items.len() < few || threads == 1 {
        return vec![work(0, items)];
    }
    let size = items.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let work = &work;
        let parts = items.chunks(size).enumerate();
        let running: Vec<_> = parts
            .map(|(at, part)| scope.spawn(move || work(at * size, part)))
            .collect();
        let done = running.into_iter().map(|thread| thread.join());
        done.map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Tables for one thread. What is done on all cores is verifying a chain and judging on the states of one.
fn tables_of<S: Objects>(store: &S) -> Tables<'_, S> {
    let tables = Tables::with_cache(store, CACHE);
    tables.rely_on_chain();
    tables
}

/// Maps every item and keeps the order.
pub fn map<S, T, R>(
    store: &S,
    items: Vec<T>,
    work: impl Fn(&S, &Tables<'_, S>, T) -> R + Sync,
) -> Vec<R>
where
    S: Objects + Clone + Send,
    T: Send,
    R: Send,
{
    let threads = threads();
    if items.len() < 2 * CHUNK || threads == 1 {
        let tables = tables_of(store);
        return items
            .into_iter()
            .map(|item| work(store, &tables, item))
            .collect();
    }
    let size = CHUNK.max(items.len() / (threads * PARTS));
    let mut chunks = Vec::new();
    let mut items = items.into_iter();
    loop {
        let chunk: Vec<T> = items.by_ref().take(size).collect();
        if chunk.is_empty() {
            break;
        }
        chunks.push(Mutex::new((Some(chunk), Vec::new())));
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let store = store.clone();
            let (chunks, next, work) = (&chunks, &next, &work);
            scope.spawn(move || {
                let tables = tables_of(&store);
                while let Some(slot) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                    let chunk = slot.0.take().unwrap_or_default();
                    slot.1 = chunk
                        .into_iter()
                        .map(|item| work(&store, &tables, item))
                        .collect();
                }
            });
        }
    });
    let results = chunks.into_iter().map(|slot| slot.into_inner());
    let results = results.map(|slot| slot.unwrap_or_else(PoisonError::into_inner).1);
    results.flatten().collect()
}
