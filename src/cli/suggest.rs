//! Near words from a closed list, for what was misspelt.

use super::error::Problem;

/// At most three words that are nearly this one, the nearest first.
pub fn near<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Vec<&'w str> {
    let wanted = word.to_lowercase();
    let mut scored: Vec<(u64, &str)> = known
        .map(|known| {
            let score = strsim::jaro_winkler(&wanted, &known.to_lowercase());
            // Sorted as integers: floats have no total order.
            ((score * 1e6) as u64, known)
        })
        .filter(|(score, _)| *score > 780_000)
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().map(|(_, known)| known).take(3).collect()
}

/// A problem with the near words as its hint, or with other words where nothing is near.
pub fn hint(problem: Problem, near: &[&str], otherwise: &str) -> Problem {
    if near.is_empty() {
        return problem.hint(otherwise);
    }
    let near: Vec<String> = near.iter().map(|word| format!("`{word}`")).collect();
    problem.hint(format!("did you mean {}?", near.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_near() {
        let known = ["aliases", "edges", "members"];
        assert_eq!(near("alaises", known.into_iter()), ["aliases"]);
        assert!(near("xyz", known.into_iter()).is_empty());
    }
}
