//! What two signed pages show together.

use super::finding::{Finding, Verdict};
use super::signed::Signed;

/// Two pages with one number.
pub(super) fn two(one: &Signed, other: &Signed) -> Finding {
    let number = one.number();
    if one.message.space != other.message.space || number != other.number() {
        let what = "they are not two pages of one space with one number";
        return Finding::nothing(what);
    }
    if one.commit.payload() == other.commit.payload() {
        return Finding::nothing("the same page: what was signed is equal, and only that counts");
    }
    let (space, epoch) = (one.message.space, one.message.epoch);
    let same = one.signer == other.signer && epoch == other.message.epoch;
    if same {
        let key = one.signer;
        let words = format!(
            "equivocation: key {key} signed two different pages common@{number} in epoch {epoch}"
        );
        return Finding::shown(Verdict::Equivocation, space, number, words)
            .signed_by(&[key])
            .accuses(key);
    }
    let what = match one.previous() == other.previous() {
        true => "two children of one page",
        false => "two chains",
    };
    let words = format!(
        "{what}: common@{number} in epoch {epoch} signed by key {}, and in epoch {} by key {}; which of them \
         had the right to is not shown, and nobody is accused",
        one.signer, other.message.epoch, other.signer
    );
    Finding::shown(Verdict::Conflict, space, number, words).signed_by(&[one.signer, other.signer])
}

/// A page that somebody withheld. Which of the two is the newer follows from their numbers.
pub(super) fn withheld(one: &Signed, other: &Signed) -> Finding {
    if one.message.space != other.message.space || one.number() == other.number() {
        return Finding::nothing("they are not an older and a newer page of one space");
    }
    let (older, newer) = match one.number() < other.number() {
        true => (one, other),
        false => (other, one),
    };
    let (space, number) = (newer.message.space, newer.number());
    let words = format!(
        "common@{number} exists, signed by key {}; whoever shows only common@{} (signed by key {}) withholds it; \
         whether these keys had the right to sign is not shown, and no key is accused",
        newer.signer,
        older.number(),
        older.signer
    );
    Finding::shown(Verdict::Withheld, space, number, words).signed_by(&[newer.signer, older.signer])
}
