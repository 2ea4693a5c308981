//! Collection, for people.

pub mod background;
pub mod grace;
pub mod packs;
pub mod run;
pub mod status;

use super::context::Context;
use crate::store::collector;

/// Refuses a space that is collected by rules this version does not know.
pub fn require_known_rules(context: &Context) -> anyhow::Result<()> {
    let value = context.store.config_value(collector::FORMAT_KEY);
    Ok(collector::require_format(value.as_deref())?)
}

/// A number of bytes for people.
pub fn bytes(n: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut size = n as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{n} bytes"),
        _ => format!("{size:.1} {}", units[unit]),
    }
}
