//! Keys as people type them.

use crate::cli::error::Problem;
use crate::cli::ui::escape;
use crate::model::{Code, ContentDigest};

/// Each key once, in the order given.
pub fn parse(words: &[String]) -> anyhow::Result<Vec<ContentDigest>> {
    let mut keys = Vec::with_capacity(words.len());
    for word in words {
        let key = word.parse().map_err(|fault| {
            Problem::new(Code::BadRequest, format!("`{}`: {fault}", escape(word)))
                .hint("b3sum FILE prints the key of its bytes")
        })?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}
