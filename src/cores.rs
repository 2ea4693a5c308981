//! The cores of this machine, and one kind of work done on all of them. Where it is said that a panic goes on, that is so in
//! tests: a released program ends where it panics.

use std::hint::black_box;

/// Bytes that a thread may need for what it keeps. From a larger piece the allocator learns nothing.
const ROOM: usize = 15 * 1024 * 1024;

/// How many threads to use. To find out takes longer than a little work, for it is read from files.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Asks for room that nobody has touched, and gives it back. The C library's allocator lets the memory of a new thread
/// grow page by page, with a call of the system and a lock of the whole process for each, and gives it back as soon as
/// some of it is free. Once it has seen a larger piece come back it keeps what it has, and this much is there in one
/// call; beyond it, it grows page by page again. Other allocators do nothing here that is felt.
pub fn make_room() {
    for room in [2 * ROOM, ROOM] {
        let mut piece = Vec::<u8>::new();
        // Where there is none, the work is done without.
        let _ = piece.try_reserve_exact(room);
        drop(black_box(piece));
    }
}

/// Maps parts of a slice on all cores, in order, each with the place where it begins: one part where there are fewer than
/// `few` items. The first is done by whoever asks. A panic of one of them goes on here.
pub fn parts<T: Sync, R: Send>(
    items: &[T],
    few: usize,
    work: impl Fn(usize, &[T]) -> R + Sync,
) -> Vec<R> {
    let threads = match items.len() < few {
        true => 1,
        false => threads(),
    };
    if threads == 1 {
        return vec![work(0, items)];
    }
    let size = items.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let work = &work;
        let mut parts = items.chunks(size).enumerate();
        let first = parts.next();
        let running: Vec<_> = parts
            .map(|(at, part)| {
                scope.spawn(move || {
                    make_room();
                    work(at * size, part)
                })
            })
            .collect();
        make_room();
        let mut all: Vec<R> = first.map(|(_, part)| work(0, part)).into_iter().collect();
        let done = running.into_iter().map(|thread| thread.join());
        all.extend(done.map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))));
        all
    })
}

/// Does two things, at the same time where they are `worth` a thread, else the first before the second. A panic of
/// either goes on here.
pub fn beside<A: Send, B>(
    worth: bool,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B,
) -> (A, B) {
    if !worth || threads() == 1 {
        return (first(), second());
    }
    std::thread::scope(|scope| {
        let running = scope.spawn(first);
        let second = second();
        let first = running.join();
        let first = first.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (first, second)
    })
}

/// Gives back what something large is made of, beside what comes next; nobody waits for that.
pub fn give_back<T: Send + 'static>(large: T) {
    let thread = std::thread::Builder::new();
    // Where no thread can be started it is given back here.
    thread.spawn(move || drop(large)).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_things_are_done_on_one_core_and_on_two() {
        for worth in [false, true] {
            assert_eq!(beside(worth, || 1, || 2), (1, 2));
        }
        let panics = std::panic::catch_unwind(|| beside(true, || panic!("first"), || 2));
        assert!(panics.is_err());
    }

    #[test]
    fn parts_come_in_order_and_say_where_they_begin() {
        for (count, few) in [(0, 0), (0, 5), (1, 0), (4, 5), (5, 5), (10_001, 5)] {
            let items: Vec<usize> = (0..count).collect();
            let found = parts(&items, few, |at, part| {
                assert!(part.iter().copied().eq(at..at + part.len()));
                part.to_vec()
            });
            assert!(count >= few.max(1) || found.len() <= 1);
            assert_eq!(found.concat(), items);
        }
    }
}
