//! ed25519 checked strictly, faster for the keys that signed many things.
//!
//! What [`VerifyingKey::verify_strict`] accepts is what this accepts, no more and no less: `S` is reduced, neither
//! `R` nor the key is of small order, and `R` has exactly the bytes of `S*B - k*A`. The sum is the same one, put
//! together from multiples of `B` and `-A` that were computed before, so that nothing is doubled. Where the bytes
//! are equal, the point that was computed is `R`, and so they also say its order: no root has to be taken to unpack
//! it.

use super::comb::Comb;
use crate::model::PublicKey;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha512};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// After so many checks a key gets a small table, which costs ten of them and halves the next.
const OFTEN: u32 = 8;
const SMALL: u32 = 5;

/// After so many a large one, which costs forty and saves another quarter.
const VERY_OFTEN: u32 = 256;
const LARGE: u32 = 8;

/// Keys that are remembered: 640 KiB each with a large table.
const KEYS: usize = 32;

/// A key that was found usable.
struct Known {
    key: VerifyingKey,
    checks: AtomicU32,
    table: RwLock<Option<Arc<Comb>>>,
}

/// Of all threads: they come and go, and check the same keys.
static KNOWN: RwLock<BTreeMap<PublicKey, Arc<Known>>> = RwLock::new(BTreeMap::new());

static BASE: LazyLock<Comb> = LazyLock::new(|| Comb::new(&ED25519_BASEPOINT_POINT, LARGE));

/// The bytes of the points that are no nonce.
static WEAK: LazyLock<[[u8; 32]; 8]> =
    LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress().to_bytes()));

/// Whether this is a good signature of a key; `usable` says first whether it is a key at all.
pub(super) fn verify<E>(
    key: &PublicKey,
    message: &[u8],
    signature: &[u8; 64],
    usable: impl FnOnce(&PublicKey) -> Result<VerifyingKey, E>,
) -> Result<bool, E> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let known = match known.get(key) {
        Some(known) => Arc::clone(known),
        None => {
            drop(known);
            remember(key, usable(key)?)
        }
    };
    Ok(match known.table() {
        Some(table) => verify_with(&table, &known.key, message, signature),
        None => {
            let signature = Signature::from_bytes(signature);
            known.key.verify_strict(message, &signature).is_ok()
        }
    })
}

fn remember(key: &PublicKey, usable: VerifyingKey) -> Arc<Known> {
    let mut keys = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if keys.len() >= KEYS {
        forget_some(&mut keys);
    }
    let new = || {
        Arc::new(Known {
            key: usable,
            checks: AtomicU32::new(0),
            table: RwLock::new(None),
        })
    };
    Arc::clone(keys.entry(*key).or_insert_with(new))
}

/// Keeps the half that was checked most; what was long ago counts less each time.
fn forget_some(keys: &mut BTreeMap<PublicKey, Arc<Known>>) {
    let mut counts: Vec<u32> = keys.values().map(|known| known.count()).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let least = counts[keys.len() / 2];
    keys.retain(|_, known| known.count() > least);
    for known in keys.values() {
        known.checks.store(known.count() / 2, Ordering::Relaxed);
    }
}

impl Known {
    fn count(&self) -> u32 {
        self.checks.load(Ordering::Relaxed)
    }

    /// The table for the next check, made now if the key has come to deserve one.
    fn table(&self) -> Option<Arc<Comb>> {
        // Far from its end: the count is halved now and then, and nobody checks 2^32 times in between.
        let checks = self.checks.fetch_add(1, Ordering::Relaxed);
        let read = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let width = match checks {
            ..OFTEN => 0,
            OFTEN..VERY_OFTEN => SMALL,
            VERY_OFTEN.. => LARGE,
        };
        match &*read {
            Some(table) if table.width() >= width => return Some(Arc::clone(table)),
            None if width == 0 => return None,
            _ => drop(read),
        }
        let mut write = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if write.as_ref().is_none_or(|table| table.width() < width) {
            *write = table(&self.key, width).map(Arc::new);
        }
        write.clone()
    }
}

/// Multiples of `-A` for a key; none for one that is no point or of small order, which is never asked for.
fn table(key: &VerifyingKey, width: u32) -> Option<Comb> {
    let minus = -CompressedEdwardsY(key.to_bytes()).decompress()?;
    (!minus.is_small_order()).then(|| Comb::new(&minus, width))
}

fn verify_with(table: &Comb, key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
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
    let point = table.add_to(BASE.add_to(EdwardsPoint::identity(), &s), &k);
    point.compress().as_bytes() == r && WEAK.iter().all(|weak| weak != r)
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
        let table = table(key, SMALL).expect("a key of large order");
        let ours = verify_with(&table, key, message, signature);
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
        let width = || {
            let keys = KNOWN.read().unwrap();
            let table = keys[&key].table.read().unwrap().clone();
            table.map(|table| table.width())
        };
        for n in 0..VERY_OFTEN {
            let mut signature = pair.sign(&n.to_le_bytes()).to_bytes();
            assert!(verify(&key, &n.to_le_bytes(), &signature, usable).unwrap());
            signature[40] ^= 1;
            assert!(!verify(&key, &n.to_le_bytes(), &signature, usable).unwrap());
            let checks = 2 * n + 2;
            let small = (checks > OFTEN).then_some(SMALL);
            let expected = if checks > VERY_OFTEN {
                Some(LARGE)
            } else {
                small
            };
            assert_eq!(width(), expected, "{n}");
        }
    }

    #[test]
    fn the_keys_that_are_checked_most_are_remembered() {
        let known = |checks| {
            let key = SigningKey::from_bytes(&[6; 32]).verifying_key();
            let (checks, table) = (AtomicU32::new(checks), RwLock::new(None));
            Arc::new(Known { key, checks, table })
        };
        let mut keys: BTreeMap<_, _> = (0..KEYS as u8)
            .map(|n| (PublicKey([n; 32]), known(u32::from(n % 4))))
            .collect();
        forget_some(&mut keys);
        assert!(keys.len() <= KEYS / 2 && !keys.is_empty());
        assert!(keys.contains_key(&PublicKey([3; 32])));
        assert!(keys.values().all(|known| known.count() == 1));
        let mut same: BTreeMap<_, _> = (0..KEYS as u8)
            .map(|n| (PublicKey([n; 32]), known(1)))
            .collect();
        forget_some(&mut same);
        assert!(same.len() <= KEYS / 2);
    }
}
