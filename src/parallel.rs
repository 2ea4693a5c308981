//! Work on all cores: each thread has its own handle on the store and its own cache of tables.
//!
//! Whoever waits for the results works along: there are as many threads as cores. One more, that waits, and the system
//! has begun two on one core and left the other one idle for up to 15 ms.

use crate::cores::{make_room, threads};
use crate::state::Tables;
use crate::store::Objects;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, unbounded};
use std::collections::VecDeque;
use std::convert::Infallible;

/// Items that a thread takes at a time where its results are large, so that memory stays bounded.
const FEW_AT_ONCE: usize = 256;
/// As many where they are small. Neighbours share a cache: what one thread has read or made is read again by the
/// next.
pub const MANY_AT_ONCE: usize = 4096;
/// Parts for each thread, so that none is idle for long at the end.
const PARTS: usize = 6;
/// Fewer items than this are not worth a thread.
const FEW: usize = 4;
/// Parts for each thread, on average, that are handed out beyond the one it works on, so that memory stays bounded.
const AHEAD: usize = 2;
/// Bytes of parsed objects that each thread keeps.
const CACHE: usize = 48 * 1024 * 1024;

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
    let mut all = Vec::with_capacity(items.len());
    let done: Result<(), Infallible> = in_order(store, items, work, |result| {
        all.push(result);
        Ok(())
    });
    match done {
        Ok(()) => all,
    }
}

/// Maps every item and hands the results to `each` in the order of the items, while the next ones are being made.
/// What it refuses ends the work.
pub fn in_order<S, T, R, E>(
    store: &S,
    items: Vec<T>,
    work: impl Fn(&S, &Tables<'_, S>, T) -> R + Sync,
    each: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E>
where
    S: Objects + Clone + Send,
    T: Send,
    R: Send,
{
    in_parts(store, items, FEW_AT_ONCE, work, each)
}

/// As [`in_order`], at most `at_once` items by one thread before the next one takes over.
pub fn in_parts<S, T, R, E>(
    store: &S,
    items: Vec<T>,
    at_once: usize,
    work: impl Fn(&S, &Tables<'_, S>, T) -> R + Sync,
    mut each: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E>
where
    S: Objects + Clone + Send,
    T: Send,
    R: Send,
{
    // To ask how many cores there are takes as long as a little work.
    let threads = match items.len() {
        ..FEW => 1,
        _ => threads(),
    };
    if threads == 1 {
        let tables = tables_of(store);
        let mut results = items.into_iter().map(|item| work(store, &tables, item));
        return results.try_for_each(each);
    }
    let mut parts = in_pieces(items, threads, at_once).into_iter();
    std::thread::scope(|scope| {
        let (ask, asked) = unbounded::<Task<T, R>>();
        for asked in vec![asked.clone(); threads - 1] {
            let (store, work) = (store.clone(), &work);
            scope.spawn(move || {
                make_room();
                let tables = tables_of(&store);
                let work = |item| work(&store, &tables, item);
                // Nobody takes any more results after one was refused.
                while asked.recv().is_ok_and(|task| task.run(work)) {}
            });
        }
        make_room();
        // As the others: the caller's own handle is for the few objects that a command reads one by one.
        let own = store.clone();
        let tables = tables_of(&own);
        let mut help = || {
            let task = asked.try_recv();
            task.is_ok_and(|task| task.run(|item| work(&own, &tables, item)))
        };
        let mut ask = Some(ask);
        let mut hand_out = || {
            let Some(part) = parts.next() else {
                // Whoever is done ends, and gives back what it keeps.
                ask = None;
                return None;
            };
            let (answer, result) = bounded(1);
            ask.as_ref()?.send(Task { part, answer }).ok();
            Some(result)
        };
        let ahead = (0..threads * (1 + AHEAD)).map_while(|_| hand_out());
        let mut coming: VecDeque<_> = ahead.collect();
        while let Some(result) = coming.pop_front() {
            // A thread that gives no answer panicked, which the scope passes on.
            let Some(part) = wait(&result, &mut help) else {
                break;
            };
            coming.extend(hand_out());
            part.into_iter().try_for_each(&mut each)?;
        }
        Ok(())
    })
}

/// Some items, and where the results go.
struct Task<T, R> {
    part: Vec<T>,
    answer: Sender<Vec<R>>,
}

impl<T, R> Task<T, R> {
    /// Whether somebody takes the results.
    fn run(self, work: impl FnMut(T) -> R) -> bool {
        let made = self.part.into_iter().map(work).collect();
        self.answer.send(made).is_ok()
    }
}

/// Results, and until they are there, `help` with what nobody has begun, while there is something. None, where nobody makes
/// them any more.
fn wait<R>(result: &Receiver<R>, mut help: impl FnMut() -> bool) -> Option<R> {
    loop {
        match result.try_recv() {
            Ok(made) => return Some(made),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) if help() => {}
            Err(TryRecvError::Empty) => return result.recv().ok(),
        }
    }
}

/// The items in parts.
fn in_pieces<T>(items: Vec<T>, threads: usize, at_once: usize) -> Vec<Vec<T>> {
    let size = (items.len() / (threads * PARTS)).clamp(1, at_once);
    let (mut items, mut parts) = (items.into_iter(), Vec::new());
    loop {
        let part: Vec<T> = items.by_ref().take(size).collect();
        if part.is_empty() {
            return parts;
        }
        parts.push(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectFormat;
    use crate::store::MemoryStore;
    use std::sync::{Condvar, Mutex, mpsc};
    use std::time::Duration;

    #[test]
    fn results_come_in_order_and_none_is_lost() {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        for count in [0, 1, FEW - 1, FEW, 13, 1000, 10_000] {
            let items: Vec<usize> = (0..count).collect();
            let doubled = map(&store, items, |_, _, item| item * 2);
            assert!(doubled.into_iter().eq((0..count).map(|item| item * 2)));
        }
    }

    #[test]
    fn who_is_slower_takes_fewer_parts() {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let (tell, told) = mpsc::channel();
        let (tell, told) = (Mutex::new(tell), Mutex::new(told));
        let part = 10;
        let count = part * threads() * PARTS;
        // The first is done when the others have come to what would be the next one's of its thread, were parts dealt out
        // in turn. On one core nobody else is there.
        let next = part * threads();
        let work = |_: &MemoryStore, _: &Tables<'_, MemoryStore>, item: usize| {
            if item == 0 && threads() > 1 {
                let minute = Duration::from_secs(60);
                let told = told.lock().unwrap().recv_timeout(minute);
                told.expect("others go on meanwhile");
            }
            if item == next {
                tell.lock().unwrap().send(()).unwrap();
            }
            item
        };
        let all = map(&store, (0..count).collect(), work);
        assert!(all.into_iter().eq(0..count));
    }

    #[test]
    fn whoever_waits_for_the_results_works_along() {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let caller = std::thread::current().id();
        let (helped, told) = (Mutex::new(false), Condvar::new());
        let work = |_: &MemoryStore, _: &Tables<'_, MemoryStore>, item: usize| {
            let mut helped = helped.lock().unwrap();
            if std::thread::current().id() == caller {
                *helped = true;
                told.notify_all();
            }
            let minute = Duration::from_secs(60);
            let waited = told.wait_timeout_while(helped, minute, |helped| !*helped);
            assert!(*waited.unwrap().0, "the caller takes a part, too");
            item
        };
        let count = 10 * threads() * PARTS;
        let all = map(&store, (0..count).collect(), work);
        assert!(all.into_iter().eq(0..count));
    }

    #[test]
    fn a_panic_goes_on_where_results_are_waited_for() {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        for first in [0, 500, 999] {
            let work = |_: &MemoryStore, _: &Tables<'_, MemoryStore>, item: usize| {
                assert!(item < first, "asked for");
            };
            let all = || map(&store, (0..1000).collect(), work);
            let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(all));
            assert!(panics.is_err(), "{first}");
        }
    }

    #[test]
    fn what_is_refused_ends_the_work() {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let (mut seen, items) = (0, (0..100_000).collect());
        let refused = in_order(
            &store,
            items,
            |_, _, item: u32| item,
            |item| {
                seen += 1;
                (item < 700).then_some(()).ok_or(item)
            },
        );
        assert_eq!((refused, seen), (Err(700), 701));
    }
}
