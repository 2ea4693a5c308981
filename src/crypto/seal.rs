//! Signed commits: [`seal`] closes one, [`open`] finds out whose it is.

use super::sshsig::{self, SigFault};
use super::{Namespace, Sign, SignFault, Signature};
use crate::codec::commit::Commit;
use crate::model::{Code, PublicKey};

/// Signs a commit that has no signature yet.
///
/// # Errors
///
/// What the signer says; also when the commit is signed already or is not in the grammar, so that
/// nothing is ever signed that its readers would refuse.
pub fn seal(mut commit: Commit, signer: &dyn Sign) -> Result<Commit, SignFault> {
    let fault = |what: String| SignFault { what };
    if commit.armor.is_some() {
        return Err(fault("the commit has a signature already".into()));
    }
    let payload = commit.payload();
    match Commit::parse(&payload, commit.tree.format()) {
        Ok(read) if read == commit => {}
        Ok(_) => return Err(fault("the commit would be read back as another one".into())),
        Err(error) => return Err(fault(error.to_string())),
    }
    let signature = signer.sign(Namespace::Git, &payload)?;
    let armor = sshsig::armor(Namespace::Git, &signer.public_key(), &signature);
    commit.armor = Some(armor);
    Ok(commit)
}

/// Verifies a commit's signature strictly over everything else in it and returns the key that made
/// it. Whether that key may do what the commit does is a later question.
///
/// # Errors
///
/// `signature-missing`, and those of [`sshsig::dearmor`] and [`sshsig::verify`].
pub fn open(commit: &Commit) -> Result<PublicKey, SigFault> {
    let (key, signature) = parts(commit)?;
    sshsig::verify(&key, Namespace::Git, &commit.payload(), &signature)?;
    Ok(key)
}

/// The key that a commit's signature names. Nothing is verified: for commits that were [`open`]ed before and are
/// known to be the same.
///
/// # Errors
///
/// `signature-missing`, and those of [`sshsig::dearmor`].
pub fn claimed(commit: &Commit) -> Result<PublicKey, SigFault> {
    parts(commit).map(|(key, _)| key)
}

fn parts(commit: &Commit) -> Result<(PublicKey, Signature), SigFault> {
    let Some(armor) = &commit.armor else {
        let what = "expected a signed commit, found one without a signature";
        return Err(SigFault::new(Code::SignatureMissing, what));
    };
    sshsig::dearmor(Namespace::Git, armor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::commit::{Ident, Zone};
    use crate::crypto::keyfile::KeyPair;
    use crate::model::{ObjectFormat, Oid};

    fn commit(len: usize) -> Commit {
        let ident = Ident {
            name: "Alice".into(),
            email: "alice@example.org".into(),
            seconds: 1_700_000_000,
            zone: Zone::UTC,
        };
        Commit {
            tree: Oid::from_bytes(&vec![1; len]).unwrap(),
            parents: vec![Oid::from_bytes(&vec![2; len]).unwrap()],
            author: ident.clone(),
            committer: ident,
            armor: None,
            message: "subject\n".into(),
        }
    }

    #[test]
    fn sealed_commits_open_in_both_formats() {
        let pair = KeyPair::from_seed([5; 32]);
        for (len, format) in [(20, ObjectFormat::Sha1), (32, ObjectFormat::Sha256)] {
            let sealed = seal(commit(len), &pair).unwrap();
            let read = Commit::parse(&sealed.encode(), format).unwrap();
            assert_eq!(read, sealed);
            assert_eq!(open(&read), Ok(pair.public_key()));
            assert!(seal(sealed, &pair).is_err());
        }
    }

    #[test]
    fn altered_commits_do_not_open() {
        let sealed = seal(commit(20), &KeyPair::from_seed([5; 32])).unwrap();
        let code = |change: &dyn Fn(&mut Commit)| {
            let mut altered = sealed.clone();
            change(&mut altered);
            open(&altered).expect_err("must be refused").code
        };
        assert_eq!(code(&|c| c.message.push('\n')), Code::SignatureWrong);
        assert_eq!(code(&|c| c.author.seconds += 1), Code::SignatureWrong);
        assert_eq!(code(&|c| c.parents.clear()), Code::SignatureWrong);
        assert_eq!(code(&|c| c.armor = None), Code::SignatureMissing);
        let twice = |c: &mut Commit| c.armor = c.armor.as_ref().map(|a| format!("{a}\n{a}"));
        assert_eq!(code(&twice), Code::SignatureMalformed);
    }

    #[test]
    fn nothing_outside_the_grammar_is_signed() {
        let pair = KeyPair::from_seed([5; 32]);
        let mut bad = commit(20);
        bad.message = "no line feed".into();
        assert!(seal(bad, &pair).is_err());
        let mut bad = commit(20);
        bad.author.name = "A <a@b> 1 +0000\ncommitter B".into();
        assert!(seal(bad, &pair).is_err());
    }
}
