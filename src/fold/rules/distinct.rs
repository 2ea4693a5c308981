//! `distinct`: two entities are not the same.

use super::*;
use crate::fold::graph;
use crate::model::rows::{DistinctRow, EdgeRow, TableRow};
use crate::model::{RowKey, limits};
use serde::{Deserialize, Serialize};

/// Payload of `distinct`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distinct {
    /// One entity.
    pub a: Name,
    /// The other.
    pub b: Name,
    /// Edges to remove first, each as its two ends.
    #[serde(default)]
    pub cut: Vec<(Name, Name)>,
}

impl Kind for Distinct {
    const OP: &'static str = "distinct";
    const FAMILY: Family = Family::Equivalence;
    const ABOUT: &'static str = "Declares two entities not to be the same. Refused while a path connects them, unless it names the edges to `cut`; afterwards it blocks whatever would connect them.";
    const FIELDS: &'static [Field] = &[
        bind::PAIR[0],
        bind::PAIR[1],
        Field {
            name: "cut",
            shape: "list of pairs of names, may be empty",
            about: "edges to remove first",
        },
    ];
    const CODES: &'static [Code] = &[
        Code::SelfReference,
        Code::IsAlias,
        Code::NoSuchEdge,
        Code::Connected,
        Code::TooLarge,
        Code::GroupTooLarge,
    ];

    fn example() -> Self {
        let (a, b) = (
            example_name("Georgia (country)"),
            example_name("Georgia (state)"),
        );
        Self {
            cut: vec![(a.clone(), b.clone())],
            a,
            b,
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        let cut = self.cut.iter().flat_map(|(x, y)| [x.as_str(), y.as_str()]);
        [self.a.as_str(), self.b.as_str()]
            .into_iter()
            .chain(cut)
            .map(Cow::from)
            .collect()
    }

    fn validate(&self) -> Result<(), Stop> {
        if self.cut.len() > limits::CUTS {
            let what = format!(
                "expected at most {} edges to cut, found {}",
                limits::CUTS,
                self.cut.len()
            );
            return Stop::refuse(Code::TooLarge, what);
        }
        require_two(&self.a, &self.b)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let half = |a: &Name, b: &Name| DistinctRow {
            a: a.clone(),
            b: b.clone(),
        };
        let (forth, back) = (half(&self.a, &self.b), half(&self.b, &self.a));
        if scene.has::<DistinctRow>(&forth.key())? {
            return Ok(());
        }
        graph::require_entity(scene, &self.a)?;
        graph::require_entity(scene, &self.b)?;
        let near = match self.cut.is_empty() {
            true => Default::default(),
            false => graph::component(scene, &self.a)?,
        };
        for (x, y) in &self.cut {
            let edge = RowKey::pair(x.as_str(), y.as_str());
            if !scene.has::<EdgeRow>(&edge)? {
                return Stop::refuse(
                    Code::NoSuchEdge,
                    format!("there is no edge between `{x}` and `{y}`"),
                );
            }
            if !near.contains(x) {
                let what = format!(
                    "the edge between `{x}` and `{y}` is not in the group of `{}`",
                    self.a
                );
                return Stop::refuse(Code::NoSuchEdge, what);
            }
            scene.remove::<EdgeRow>(edge);
            scene.remove::<EdgeRow>(RowKey::pair(y.as_str(), x.as_str()));
        }
        if let Some(steps) = graph::path(scene, &self.a, &self.b)? {
            let words = graph::path_words(&self.a, &steps);
            return Stop::refuse(Code::Connected, format!("they are connected: {words}"));
        }
        scene.put(&forth);
        scene.put(&back);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    #[test]
    fn names_the_edges_it_cuts() {
        let mut bench = Bench::default();
        bench.run(r#"{"op":"bind","a":"a","b":"m"}"#).unwrap();
        bench.run(r#"{"op":"bind","a":"m","b":"z"}"#).unwrap();
        let plain = r#"{"op":"distinct","a":"a","b":"z","cut":[]}"#;
        assert_eq!(bench.run(plain), Err(Code::Connected));
        let wrong = r#"{"op":"distinct","a":"a","b":"z","cut":[["a","z"]]}"#;
        assert_eq!(bench.run(wrong), Err(Code::NoSuchEdge));
        let right = r#"{"op":"distinct","a":"a","b":"z","cut":[["z","m"]]}"#;
        assert_eq!(bench.run(right), Ok(4));
        assert_eq!(bench.run(right), Ok(0));
        assert_eq!(
            bench.run(r#"{"op":"bind","a":"m","b":"z"}"#),
            Err(Code::Distinct)
        );
    }

    #[test]
    fn what_stays_connected_is_not_cut_either() {
        let mut bench = Bench::default();
        for (a, b) in [("a", "m"), ("m", "z"), ("a", "z")] {
            let edge = format!(r#"{{"op":"bind","a":"{a}","b":"{b}"}}"#);
            bench.run(&edge).unwrap();
        }
        let direct = r#"{"op":"distinct","a":"a","b":"z","cut":[["a","z"]]}"#;
        assert_eq!(bench.run(direct), Err(Code::Connected));
    }

    #[test]
    fn redirects_connect_too() {
        let mut bench = Bench::default();
        bench
            .run(r#"{"op":"merge","from":"a","into":"b","resolved":"b"}"#)
            .unwrap();
        assert_eq!(
            bench.run(r#"{"op":"distinct","a":"a","b":"b","cut":[]}"#),
            Err(Code::Connected)
        );
    }
}
