//! Places that are looked into one after the other, the one where something was found last first.

/// Places, counted from 0.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent(Vec<usize>);

impl Recent {
    /// That many places, in their order.
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The first answer that a place gives, and which. What was found where something old lies is sought there again after
    /// what is new, so whoever goes back and forth between two places looks into two.
    pub(crate) fn find<T>(
        &mut self,
        mut look: impl FnMut(usize) -> Option<T>,
    ) -> Option<(usize, T)> {
        let mut order = self.0.iter().enumerate();
        let (at, found) = order.find_map(|(at, place)| Some((at, look(*place)?)))?;
        self.0[..=at].rotate_right(1);
        Some((self.0[0], found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_asked_first_and_none_is_left_out() {
        let mut recent = Recent::new(4);
        let mut asked = |wanted: usize| {
            let mut asked = Vec::new();
            let found = recent.find(|place| {
                asked.push(place);
                (place == wanted).then_some("here")
            });
            assert_eq!(found, (wanted < 4).then_some((wanted, "here")));
            asked
        };
        assert_eq!(asked(2), [0, 1, 2]);
        assert_eq!(asked(3), [2, 0, 1, 3]);
        assert_eq!(asked(2), [3, 2]);
        assert_eq!(asked(3), [2, 3]);
        assert_eq!(asked(9), [3, 2, 0, 1]);
        assert_eq!(asked(1), [3, 2, 0, 1]);
        assert_eq!(asked(1), [1]);
    }
}
