//! Decisions and rows in words, for a terminal. Everything in them is escaped.

use super::ui::escape;
use crate::fold::Decision;
use crate::model::{LayerId, Row};
use std::fmt::Display;

fn name(text: impl Display) -> String {
    format!("`{}`", escape(&text.to_string()))
}

fn list(items: &[impl Display]) -> String {
    let items: Vec<String> = items.iter().map(|item| escape(&item.to_string())).collect();
    items.join(", ")
}

fn below(after: Option<&LayerId>) -> String {
    after.map_or("at the bottom".into(), |id| format!("after {}", id.short()))
}

/// A size in bytes, exactly.
fn bytes(size: u64) -> String {
    match size {
        1 => "1 byte".into(),
        size => format!("{size} bytes"),
    }
}

/// One decision in one line.
pub fn decision(decision: &Decision) -> String {
    format!("{} {}", decision.op(), payload(decision))
}

fn payload(decision: &Decision) -> String {
    match decision {
        Decision::SpaceFound(d) => format!("{} by {}", name(&d.name), name(&d.founder.handle)),
        Decision::SpaceDescribe(d) => name(&d.name),
        Decision::MemberAdd(d) => {
            let address = escape(d.email.as_str());
            format!("{} <{address}> as [{}]", name(&d.handle), list(&d.roles))
        }
        Decision::MemberRemove(d) => name(&d.handle),
        Decision::MemberRotate(d) => format!("{} to {}", name(&d.handle), d.key),
        Decision::PolicySet(d) => {
            let (scope, prefix) = (name(&d.scope), name(&d.prefix));
            format!("{scope} below {prefix}: [{}]", list(&d.roles))
        }
        Decision::AliasSet(d) => format!("{} -> {}", name(&d.alias), name(&d.target)),
        Decision::AliasDrop(d) => name(&d.alias),
        Decision::Bind(d) => format!("{} = {}", name(&d.a), name(&d.b)),
        Decision::Unbind(d) => format!("{} = {}", name(&d.a), name(&d.b)),
        Decision::Distinct(d) => match d.cut.len() {
            0 => format!("{} != {}", name(&d.a), name(&d.b)),
            n => format!("{} != {}, cutting {n}", name(&d.a), name(&d.b)),
        },
        Decision::DistinctDrop(d) => format!("{} != {}", name(&d.a), name(&d.b)),
        Decision::Merge(d) => format!("{} into {}", name(&d.from), name(&d.into)),
        Decision::Unmerge(d) => name(&d.from),
        Decision::Fork(d) => format!("{} from {}", name(&d.name), name(&d.of)),
        Decision::Pin(d) => name(&d.name),
        Decision::Unpin(d) => name(&d.name),
        Decision::OverlayAdd(d) => {
            let at = below(d.after.as_ref());
            let base = name(&d.base);
            format!("{} {at}: {} on {base}", name(&d.target), d.patch.short())
        }
        Decision::OverlayRebase(d) => {
            let (target, base) = (name(&d.target), name(&d.base));
            format!("{target} {}: {} on {base}", d.id.short(), d.patch.short())
        }
        Decision::OverlayDrop(d) => format!("{} {}", name(&d.target), d.id.short()),
        Decision::ArtifactPublish(d) => {
            let size = bytes(d.size);
            format!(
                "{}: {}, {size}",
                d.artifact.short(),
                escape(d.media.as_str())
            )
        }
        Decision::ArtifactTombstone(d) => {
            format!("{}: {}", d.artifact.short(), escape(d.reason.as_str()))
        }
        Decision::ArtifactRestore(d) => d.artifact.short(),
        Decision::PenTake(d) => {
            let on = d.instance.as_ref();
            let on = on.map_or(String::new(), |instance| format!(" on {}", name(instance)));
            format!(
                "({}) by {}{on}, epoch {}",
                d.from.as_str(),
                name(&d.member),
                d.epoch
            )
        }
        Decision::PenRelease(d) => format!("ending epoch {}", d.epoch),
        Decision::WitnessAppoint(d) => name(&d.member),
        Decision::WitnessRetire(d) => name(&d.member),
    }
}

/// A row, or the words for none.
pub fn row(row: Option<&Row>) -> String {
    row.map_or("no row".into(), |row| escape(row.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_words() {
        for kind in Decision::kinds() {
            let words = decision(&kind.example);
            assert!(words.starts_with(kind.op) && words.len() > kind.op.len() + 1);
            assert!(!words.contains('\n'), "{words}");
        }
    }
}
