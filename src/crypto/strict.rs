//! ed25519 checked strictly, faster for the keys that signed many things.
//!
//! What [`VerifyingKey::verify_strict`] accepts is what this accepts, no more and no less: `S` is reduced, neither
//! `R` nor the key is of small order, and `R` has exactly the bytes of `S*B - k*A`. The sum is the same one, put
//! together from halves of `S` and `k` with tables of `B`, `2^128*B`, `-A` and `2^128*-A`: half of the doublings
//! go. Where the bytes are equal, the point that was computed is `R`, so its order is looked at there, and no root
//! has to be taken to unpack `R`.

use crate::model::PublicKey;
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint, VartimeEdwardsPrecomputation};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimePrecomputedMultiscalarMul as _;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha512};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// So often a thread checks signatures of a key before it makes tables for it, which costs two or three checks.
const OFTEN: u32 = 8;

/// Keys that a thread remembers, before it forgets all of them: 40 KiB each once it has tables.
const KEYS: usize = 64;

/// A key that was found usable.
struct Known {
    key: VerifyingKey,
    checks: u32,
    tables: Option<VartimeEdwardsPrecomputation>,
}

thread_local! {
    static KNOWN: RefCell<BTreeMap<PublicKey, Known>> = const { RefCell::new(BTreeMap::new()) };
}

/// Whether this is a good signature of a key; `usable` says first whether it is a key at all.
pub(super) fn verify<E>(
    key: &PublicKey,
    message: &[u8],
    signature: &[u8; 64],
    usable: impl FnOnce(&PublicKey) -> Result<VerifyingKey, E>,
) -> Result<bool, E> {
    KNOWN.with_borrow_mut(|keys| {
        if !keys.contains_key(key) {
            let known = Known {
                key: usable(key)?,
                checks: 0,
                tables: None,
            };
            if keys.len() == KEYS {
                keys.clear();
            }
            keys.insert(*key, known);
        }
        let known = keys.get_mut(key).expect("it was put there");
        known.checks = known.checks.saturating_add(1);
        if known.checks > OFTEN && known.tables.is_none() {
            known.tables = tables(&known.key);
        }
        Ok(match &known.tables {
            Some(tables) => verify_with(tables, &known.key, message, signature),
            None => {
                let signature = Signature::from_bytes(signature);
                known.key.verify_strict(message, &signature).is_ok()
            }
        })
    })
}

/// The point times 2^128.
fn shifted(point: &EdwardsPoint) -> EdwardsPoint {
    (0..128).fold(*point, |point, _| point + point)
}

/// Tables for a key; none for one that is no point or of small order, which is never asked for.
fn tables(key: &VerifyingKey) -> Option<VartimeEdwardsPrecomputation> {
    let minus = -CompressedEdwardsY(key.to_bytes()).decompress()?;
    if minus.is_small_order() {
        return None;
    }
    let base = ED25519_BASEPOINT_POINT;
    let points = [base, shifted(&base), minus, shifted(&minus)];
    Some(VartimeEdwardsPrecomputation::new(points))
}

/// The halves of a reduced scalar: the lower 128 bits, and the rest.
fn halves(scalar: &Scalar) -> [Scalar; 2] {
    let (low, high) = scalar.as_bytes().split_at(16);
    let half = |half: &[u8]| u128::from_le_bytes(half.try_into().expect("16 of 32 bytes"));
    [Scalar::from(half(low)), Scalar::from(half(high))]
}

fn verify_with(
    tables: &VartimeEdwardsPrecomputation,
    key: &VerifyingKey,
    message: &[u8],
    signature: &[u8; 64],
) -> bool {
    let (r, s) = signature.split_at(32);
    let s: [u8; 32] = s.try_into().expect("32 of 64 bytes");
    let Some(s) = Option::<Scalar>::from(Scalar::from_canonical_bytes(s)) else {
        return false;
    };
    let mut hash = Sha512::new();
    hash.update(r);
    hash.update(key.as_bytes());
    hash.update(message);
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let ([s0, s1], [k0, k1]) = (halves(&s), halves(&k));
    let point = tables.vartime_multiscalar_mul([s0, s1, k0, k1]);
    point.compress().as_bytes() == r && !point.is_small_order()
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::EIGHT_TORSION;
    use ed25519_dalek::{Signer as _, SigningKey};
    use proptest::prelude::*;

    /// Both ways, which have to agree.
    fn agreed(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
        let plain = key.verify_strict(message, &Signature::from_bytes(signature));
        let tables = tables(key).expect("a key of large order");
        let ours = verify_with(&tables, key, message, signature);
        assert_eq!(ours, plain.is_ok(), "{key:?} {message:?} {signature:?}");
        ours
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn it_agrees_with_the_strict_check(seed: [u8; 32], message in prop::collection::vec(any::<u8>(), 0..100), at in 0usize..512, noise: [u8; 32]) {
            let pair = SigningKey::from_bytes(&seed);
            let key = pair.verifying_key();
            let good = pair.sign(&message).to_bytes();
            prop_assert!(agreed(&key, &message, &good));
            let mut bent = good;
            bent[at / 8] ^= 1 << (at % 8);
            prop_assert!(!agreed(&key, &message, &bent));
            let mut other = good;
            other[..32].copy_from_slice(&noise);
            prop_assert!(!agreed(&key, &message, &other));
        }
    }

    #[test]
    fn it_agrees_where_points_have_a_part_of_small_order() {
        let scalar = |n: u64, what: &str| {
            let hash = Sha512::digest(format!("{what} {n}"));
            Scalar::from_bytes_mod_order_wide(&hash.into())
        };
        let (mut good, mut bad) = (0, 0);
        for n in 0..1000u64 {
            let torsion = |at: u64| EIGHT_TORSION[(at % 8) as usize];
            let (a, r) = (scalar(n, "key"), scalar(n, "nonce"));
            let key = EdwardsPoint::mul_base(&a) + torsion(n);
            let point = EdwardsPoint::mul_base(&r) + torsion(n / 8);
            let key = VerifyingKey::from_bytes(&key.compress().0).unwrap();
            let hash = Sha512::new().chain_update(point.compress().0);
            let hash = hash.chain_update(key.as_bytes()).chain_update(b"message");
            let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&point.compress().0);
            signature[32..].copy_from_slice((r + k * a).as_bytes());
            match agreed(&key, b"message", &signature) {
                true => good += 1,
                false => bad += 1,
            }
        }
        assert!(good > 50 && bad > 50, "{good} good, {bad} bad");
    }

    #[test]
    fn a_point_of_small_order_is_no_nonce() {
        let pair = SigningKey::from_bytes(&[3; 32]);
        let key = pair.verifying_key();
        let a = pair.to_scalar();
        for point in EIGHT_TORSION {
            let hash = Sha512::new().chain_update(point.compress().0);
            let hash = hash.chain_update(key.as_bytes()).chain_update(b"message");
            let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&point.compress().0);
            signature[32..].copy_from_slice((k * a).as_bytes());
            assert!(!agreed(&key, b"message", &signature));
        }
    }

    #[test]
    fn an_unreduced_half_is_refused_by_both() {
        let pair = SigningKey::from_bytes(&[4; 32]);
        let good = pair.sign(b"message").to_bytes();
        // S plus the order of the group, little endian.
        let order = (Scalar::ZERO - Scalar::ONE).to_bytes();
        let mut altered = good;
        let mut carry = 1u16;
        for (byte, add) in altered[32..].iter_mut().zip(order) {
            carry += u16::from(*byte) + u16::from(add);
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        assert!(!agreed(&pair.verifying_key(), b"message", &altered));
    }

    #[test]
    fn a_key_gets_tables_after_a_while_and_the_answers_stay() {
        let pair = SigningKey::from_bytes(&[5; 32]);
        let key = PublicKey(pair.verifying_key().to_bytes());
        let usable = |key: &PublicKey| VerifyingKey::from_bytes(&key.0);
        for n in 0..3 * OFTEN {
            let mut signature = pair.sign(&n.to_le_bytes()).to_bytes();
            assert!(verify(&key, &n.to_le_bytes(), &signature, usable).unwrap());
            signature[40] ^= 1;
            assert!(!verify(&key, &n.to_le_bytes(), &signature, usable).unwrap());
        }
        KNOWN.with_borrow(|known| assert!(known[&key].tables.is_some()));
    }
}
