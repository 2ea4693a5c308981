//! Not a test: prints how long successive edits take. Run with `--ignored --nocapture`, optimised.

use super::store::Memory;
use super::{alias, puts, write};
use crate::state::Tables;
use std::time::Instant;

#[test]
#[ignore = "prints timings"]
fn successive_single_row_edits() {
    for rows in [100, 100_000, 1_000_000] {
        let store = Memory::default();
        let tables = Tables::new(&store);
        let start = Instant::now();
        let mut root = tables
            .edit(None, &puts((0..rows).map(|n| alias(n, 0))))
            .unwrap();
        println!("{rows} rows at once: {:?}", start.elapsed());
        write(&store, &tables);
        // Edits that change a row, as new rows would make the small table large.
        let edits: Vec<_> = (0..10_000u32)
            .map(|n| puts([alias(n.wrapping_mul(2_654_435_761) % rows, n + 1)]))
            .collect();
        for warmth in ["first", "second"] {
            let tables = Tables::new(&store);
            let start = Instant::now();
            for edit in &edits {
                root = tables.edit(Some(root), edit).unwrap();
            }
            let staged = tables.staged();
            println!(
                "  10,000 edits ({warmth}): {:?}, {staged} objects",
                start.elapsed()
            );
            let start = Instant::now();
            for edit in &edits {
                for key in edit.keys() {
                    assert!(tables.row(Some(root), key.0, &key.1).unwrap().is_some());
                }
            }
            println!("  10,000 look-ups: {:?}", start.elapsed());
            write(&store, &tables);
        }
    }
}
