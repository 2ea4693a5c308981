//! Multiples of a point that many scalars are multiplied with. Nothing here is secret, so nothing takes the same time.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;

/// For each digit of a scalar, the multiples of the point that it may stand for: digits of `width` bits from
/// `-2^(width-1)` to `2^(width-1)`, of which the positive ones are kept.
pub(super) struct Comb {
    width: u32,
    points: Vec<EdwardsPoint>,
}

/// Points that are fetched before the first of them is added.
const AT_ONCE: usize = 16;

/// How many digits a scalar has: 256 bits, so that nothing is carried beyond the last one.
fn count(width: u32) -> usize {
    256usize.div_ceil(width as usize)
}

/// The digits of a scalar below 2^255, the lowest first.
fn digits(scalar: &Scalar, width: u32) -> impl Iterator<Item = i32> {
    let mut bytes = [0; 36];
    bytes[..32].copy_from_slice(scalar.as_bytes());
    let mut carry = 0;
    (0..count(width)).map(move |at| {
        let bit = at * width as usize;
        let word = bytes[bit / 8..][..4].try_into().expect("4 bytes");
        let low = u32::from_le_bytes(word) >> (bit % 8) & ((1 << width) - 1);
        let digit = low as i32 + carry;
        carry = i32::from(digit > 1 << (width - 1));
        digit - (carry << width)
    })
}

impl Comb {
    /// Of a point, for digits of 2 to 16 bits: `128 / width * 2^width` points.
    pub(super) fn new(point: &EdwardsPoint, width: u32) -> Self {
        let (count, each) = (count(width), 1 << (width - 1));
        let mut points: Vec<EdwardsPoint> = Vec::with_capacity(count * each);
        let mut base = *point;
        for _ in 0..count {
            let mut multiple = base;
            for _ in 0..each {
                points.push(multiple);
                multiple += base;
            }
            // The last one kept is half of what the next digit counts.
            let half = points.last().expect("a digit has values");
            base = half + half;
        }
        Self { width, points }
    }

    /// Bits of a digit.
    pub(super) fn width(&self) -> u32 {
        self.width
    }

    /// A sum plus the point times a scalar.
    pub(super) fn add_to(&self, mut sum: EdwardsPoint, scalar: &Scalar) -> EdwardsPoint {
        let each = 1 << (self.width - 1);
        let mut digits = self
            .points
            .chunks_exact(each)
            .zip(digits(scalar, self.width))
            .filter(|(_, digit)| *digit != 0);
        let mut picked = [(false, EdwardsPoint::default()); AT_ONCE];
        loop {
            // Each is fetched from far away in memory, and all of them at once where no sum waits for the one before.
            let mut len = 0;
            for (to, (points, digit)) in picked.iter_mut().zip(&mut digits) {
                *to = (digit < 0, points[digit.unsigned_abs() as usize - 1]);
                len += 1;
            }
            for (minus, point) in &picked[..len] {
                match minus {
                    false => sum += point,
                    true => sum -= point,
                }
            }
            if len < AT_ONCE {
                return sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
    use curve25519_dalek::traits::Identity as _;
    use sha2::{Digest as _, Sha512};

    #[test]
    fn it_multiplies() {
        let some =
            (0u8..30).map(|n| Scalar::from_bytes_mod_order_wide(&Sha512::digest([n]).into()));
        let edges = (0..=16).map(|n| Scalar::from(1u64 << n) - Scalar::ONE);
        let scalars: Vec<Scalar> = some.chain(edges).chain([-Scalar::ONE]).collect();
        let point = ED25519_BASEPOINT_POINT * Scalar::from(77u64);
        for width in [2, 5, 8, 11] {
            let comb = Comb::new(&point, width);
            for scalar in &scalars {
                let found = comb.add_to(EdwardsPoint::identity(), scalar);
                assert_eq!(found, point * scalar, "{width} {scalar:?}");
                assert_eq!(comb.add_to(found, &-scalar), EdwardsPoint::identity());
            }
        }
    }
}
