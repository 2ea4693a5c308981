//! Stable codes of refusals and faults: what they mean and what to do.
//!
//! `folio explain CODE` and `docs/codes.md` are made from this table, and golden vectors name these
//! words. A code is never renamed or reused for something else.

use std::fmt;

/// What a code is about, which also decides the exit code of the command that ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Text or JSON that is not in the format.
    Input,
    /// A rule of the fold refused a decision.
    Rule,
    /// A commit, signature or tree is not what the format asks for.
    Integrity,
    /// The machine, the repository or the key, not the journal.
    Environment,
}

macro_rules! codes {
    ($($variant:ident $area:ident $name:literal $title:literal $help:literal;)*) => {
        /// A stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {$(#[doc = $title] $variant,)*}

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The stable word.
            pub fn as_str(self) -> &'static str {
                match self {$(Code::$variant => $name,)*}
            }

            /// What it is about.
            pub fn area(self) -> Area {
                match self {$(Code::$variant => Area::$area,)*}
            }

            /// One line: what happened.
            pub fn title(self) -> &'static str {
                match self {$(Code::$variant => $title,)*}
            }

            /// A few sentences: why the rule is there and what to do.
            pub fn help(self) -> &'static str {
                match self {$(Code::$variant => $help,)*}
            }

            /// The code of that word.
            pub fn from_word(word: &str) -> Option<Code> {
                match word {$($name => Some(Code::$variant),)* _ => None}
            }
        }
    };
}

codes! {
    JsonMalformed Input "json-malformed" "The line is not a JSON object of the expected shape."
        "Each line is one JSON object with exactly the fields that `folio help decisions` lists: integers only, no duplicate or unknown fields, no BOM, nothing after the object.";
    JsonNotCanonical Input "json-not-canonical" "The line is not in canonical form (RFC 8785)."
        "What is signed has one spelling only: sorted keys, no spaces, shortest escapes, a line feed after each line. `folio propose -f FILE` writes the canonical form for you.";
    OperationUnknown Input "operation-unknown" "There is no such kind of decision."
        "`folio help decisions` lists the kinds this version knows. A newer version may know more; a space says its format in `folio status`.";
    TooLarge Input "too-large" "Something is larger than the format allows."
        "Limits are part of the format (docs/format.md lists them), so that reading is bounded everywhere. Split the proposal or shorten the text.";
    NameInvalid Input "name-invalid" "The text cannot be a name."
        "Names are 1 to 512 bytes of NFC text without control, bidi, zero-width, private-use or unassigned characters and without white space at the ends.";
    HandleInvalid Input "handle-invalid" "The text cannot be a handle, role or slug."
        "Handles are parts of ref names: a-z, 0-9 and `-`, not starting with `-`, at most 63.";
    EmailInvalid Input "email-invalid" "The text cannot be an e-mail address here."
        "Addresses stand in commits and in the allowed-signers file; letters, digits and ._%+- before the @, letters, digits, `.` and `-` after it.";
    TextInvalid Input "text-invalid" "The text cannot be used here."
        "Free text is one line of NFC text without control, bidi or zero-width characters.";
    KeyMalformed Input "key-malformed" "The key is not an OpenSSH ed25519 public key."
        "Write it as `ssh-ed25519 AAAA...`, without a comment, as in the first two words of a `.pub` file.";
    KeyWeak Input "key-weak" "The key is a weak point of the curve."
        "With a small-order point as key, anybody can make signatures that some programs accept. Make a new key with `folio key new`.";
    KeyUnsupported Input "key-unsupported" "The key is of a kind that Folio does not use."
        "Folio signs with ed25519 only. RSA, ECDSA, DSA and hardware-backed (sk-) keys are refused. Make one with `folio key new`.";
    PatchMalformed Input "patch-malformed" "The patch is not a unified diff of one file."
        "A layer is what `diff -u OLD NEW` or `git diff` prints of one text file, or a whole file. Say `--whole` if the file is to replace everything below it, whatever it looks like.";
    PatchFails Input "patch-fails" "A layer does not apply to what lies below it."
        "The message names the hunk. The base or a layer below is not the one that the patch was made for: `folio overlay rebase` makes the layer again. `folio overlay show --skip` leaves it out.";
    MergeConflict Input "merge-conflict" "Two sides changed the same lines."
        "The places stand between `<<<<<<<` and `>>>>>>>`, as git shows them. Write what should stand there into the file and finish with `--merged FILE`. Nothing was drafted.";
    PathUnsafe Input "path-unsafe" "The path, or where a link leads, could reach what is outside of its directory."
        "Paths in a directory artifact are relative, of at most 128 parts of at most 255 bytes of UTF-8 each, without `.`, `..`, backslashes, control characters, a drive letter, and anything that a file system would take for `.git`. A link leads upwards first and downwards then, and stays inside. docs/format.md has the rules.";
    PathCollision Input "path-collision" "Two names are one name on some file systems."
        "They differ only in the case of letters, in their Unicode form or in invisible characters, or one is a file and a directory both. Restoring them would overwrite one with the other: rename one.";
    SpecialFile Input "special-file" "The file is neither a regular file, a directory nor a symbolic link."
        "Sockets, pipes and devices have no bytes to keep. Remove it, or add the directories beside it one by one.";

    Stale Rule "stale" "What the decision replaces is no longer what stands there."
        "Somebody else changed the row after the proposal was made. Look at both values; if you still want yours, `folio rebase ID` makes the proposal again on today's state.";
    NotAllowed Rule "not-allowed" "The policy does not let this member propose this kind of decision here."
        "`folio state policy` shows which roles may propose what, by kind and key prefix. Ask somebody who holds the role, or propose a change of policy.";
    NotAMember Rule "not-a-member" "The key that signed belongs to no member."
        "Only members propose. Somebody whose role allows it adds you: `folio member add HANDLE --public-key FILE.pub --email ADDRESS --name NAME`.";
    KeyRetired Rule "key-retired" "The key that signed was rotated away or removed before the proposal was numbered."
        "Authority is judged in the state before the page. Sign the proposal again with a current key: `folio rebase ID`.";
    SelfReference Rule "self-reference" "A name cannot refer to itself."
        "An alias, a bind, a merge, a fork or a distinct needs two different names.";
    AliasCycle Rule "alias-cycle" "The alias would lead back to itself."
        "The message shows the path. Drop or change one alias on it first.";
    ChainTooLong Rule "chain-too-long" "The chain of aliases or redirects would be longer than 16."
        "Point the alias at what the chain ends in.";
    IsAlias Rule "is-alias" "The name is an alias, and this decision is about entities."
        "Name the entity it stands for (`folio resolve NAME`), or drop the alias first.";
    IsEntity Rule "is-entity" "The name is treated as an entity of its own, so it cannot become an alias."
        "Other rows refer to it. An entity that becomes another name for a second one is a merge: `folio merge FROM INTO`.";
    MergeCycle Rule "merge-cycle" "The redirect would lead back to itself."
        "The message shows the path. Undo one merge on it first: `folio unmerge NAME`.";
    Distinct Rule "distinct" "Two members of the group would be names that were declared distinct."
        "The message shows the pair and the path. Drop the declaration first (`folio distinct-drop A B`) if it no longer holds.";
    Connected Rule "connected" "The two are the same by a path of edges and redirects, so they cannot be distinct."
        "The message shows the path. Name the edges to cut: `folio distinct A B --cut X Y`; a redirect on it needs `folio unmerge`.";
    NoSuchEdge Rule "no-such-edge" "An edge to cut does not exist."
        "`folio group NAME` lists the edges of a group.";
    GroupTooLarge Rule "group-too-large" "The group would have more than 1,024 members."
        "Groups are read whole by rules and readers, so they are bounded.";
    Exists Rule "exists" "The name is already in use."
        "A fork starts a new entity; choose a name that no row mentions.";
    NoSuchMember Rule "no-such-member" "There is no such member."
        "`folio state members` lists them.";
    EmailTaken Rule "email-taken" "The e-mail address is another member's."
        "Blame must name one person, so an address belongs to one member at a time.";
    KeyTaken Rule "key-taken" "The key is or was already a member's."
        "A key is one member's for ever; make a new one with `folio key new`.";
    KeyUnchanged Rule "key-unchanged" "`member.add` cannot change a member's key."
        "Use `folio member rotate HANDLE --public-key FILE.pub`.";
    LastHolder Rule "last-holder" "It would take the role from its last holder."
        "Give the role to somebody else first.";
    IsHolder Rule "is-holder" "The member holds the pen or is the last witness."
        "Hand the pen over first.";
    PenMoved Rule "pen-moved" "The pen is not where the `pen.take` says it comes after."
        "A take names the page it comes after and whether the pen was released there; it is good for the next page alone and is never rebased. Look with `folio pen status` and take it again: `folio pen take`.";
    EpochWrong Rule "epoch-wrong" "The take does not raise the epoch by exactly one."
        "Each take starts the next epoch: one key signs in each. `folio pen take` fills it in.";
    NotAWitness Rule "not-a-witness" "The member is not an appointed witness."
        "Only appointed witnesses take the pen. `folio witness list` shows them; `folio witness appoint HANDLE` drafts an appointment, and `folio pen take --appoint` carries one's own.";
    NotAlone Rule "not-alone" "The pen moves in a proposal of its own."
        "A `pen.take` stands alone, or after the taker's own `witness.appoint`; a `pen.release` stands alone. Propose the rest apart.";
    PenReleased Rule "pen-released" "The pen was released, so nothing but a `pen.take` can be numbered."
        "An appointed witness takes it first: `folio pen take`.";
    NoSuchLayer Rule "no-such-layer" "There is no such overlay layer on that target."
        "`folio overlays TARGET` lists the layers.";
    BaseMoved Rule "base-moved" "The layer's base is not the one the rebase expects."
        "Somebody rebased the layer before. Look at it with `folio overlays TARGET` and rebase again.";
    ArtifactTombstoned Rule "artifact-tombstoned" "The artifact is withdrawn."
        "`folio blame KEY` says who withdrew it and why. `folio artifact restore KEY` drafts that it is lifted; then it can be published and used again.";
    ArtifactMismatch Rule "artifact-mismatch" "The artifact has another size than the decision says."
        "A key names the same bytes for ever, so it has one size. Look at the bytes again: their BLAKE3 digest is the key, `b3sum FILE` prints it.";
    CharterMisplaced Rule "charter-misplaced" "`space.found` is the first decision of the first page, and nowhere else."
        "A space is founded once: `folio init`.";
    PolicyUnsafe Rule "policy-unsafe" "The policy row makes no sense or locks everybody out."
        "It names no role, asks for zero approvals, or names a scope that is neither a kind, a family nor `*`.";
    QuorumUnsafe Rule "quorum-unsafe" "The quorum is too small to bear the liars that the row says it bears."
        "With `safe` F and N holders of the role, at least floor((N + F) / 2) + 1 approvals are needed, and never none: two such quorums then share an honest member.";
    TierUnsupported Rule "tier-unsupported" "Decisions of this tier do not go through the witness's queue."
        "Only the tiers `witness` and `quorum` are numbered as pages.";
    ApprovalsMissing Rule "approvals-missing" "The proposal has fewer approvals than the policy asks for."
        "Reviewers who hold the role must approve it first. `folio queue` shows how many are missing.";
    Rejected Rule "rejected" "The witness refused the proposal."
        "The reason is in the review's message: `folio queue`.";
    AlreadySigned Rule "already-signed" "Your key signed another page for this number and epoch before."
        "Two different pages with one number would be proof of cheating, so nothing else is signed at or below what is remembered in `folio/signed/`. The pages that were signed are kept there. `folio pen take` starts a new epoch, in which numbering goes on.";
    ProposalReplaced Rule "proposal-replaced" "The proposal is another one than you read."
        "Its author made it again under the same name. Read it again with `folio review ID`, then approve or reject that one.";
    Empty Rule "empty" "The proposal holds no decision."
        "Add one to the draft first; `folio draft show` lists it.";
    SubjectTooLarge Rule "subject-too-large" "One subject has more rows than a rule may read."
        "Spread the rows over more subjects.";

    CommitGrammar Integrity "commit-grammar" "The commit's header is not exactly tree, parents, author, committer, signature."
        "Unknown, duplicate or misplaced headers, encodings and merge tags are refused: they are where malleability hides.";
    CommitNotExact Integrity "commit-not-exact" "The commit is not byte for byte what its parts encode to."
        "git accepts many spellings of one signature; Folio accepts one. Somebody altered the commit after it was signed.";
    SignatureMissing Integrity "signature-missing" "The commit is not signed."
        "Sign with `folio propose`, or with `git commit -S` and gpg.format=ssh.";
    SignatureMalformed Integrity "signature-malformed" "The signature is not an SSHSIG block of the one accepted form."
        "ed25519, namespace `git`, SHA-512, version 1, nothing reserved, wrapped as ssh-keygen does.";
    SignatureWrong Integrity "signature-wrong" "The signature does not fit the commit and its key."
        "The commit was altered, or signed for another purpose.";
    SignerWrong Integrity "signer-wrong" "The snapshot is not signed by the key that holds the pen."
        "Only the holder of the pen numbers snapshots.";
    EmailMismatch Integrity "email-mismatch" "Author or committer is not the address of the member whose key signed."
        "Set `git config user.email` to the address in `folio state members` and make the commit again.";
    TrailersMalformed Integrity "trailers-malformed" "The message's last paragraph starts like Folio's trailers and is not one of the exact sets."
        "docs/format.md lists them. In a proposal made with plain git leave them out.";
    SpaceMismatch Integrity "space-mismatch" "The commit names another space."
        "A commit made for one space is valid in no other.";
    NumberMismatch Integrity "number-mismatch" "The snapshot's number is not one more than its parent's."
        "Numbers run 1, 2, 3, ... without gaps.";
    EpochMismatch Integrity "epoch-mismatch" "The snapshot's epoch is not the pen's."
        "The epoch only changes by a `pen.take`, by one.";
    ChainMismatch Integrity "chain-mismatch" "The chain digest is not that of this history."
        "One value names the whole history; somebody changed something before this page.";
    ProposalMismatch Integrity "proposal-mismatch" "The proposal's digest is not the one that the commit names."
        "The commit binds another proposal than its parent.";
    BaseMismatch Integrity "base-mismatch" "The base that the proposal names is not its parent."
        "The trailers say another number than the parent snapshot has.";
    BaseUnknown Integrity "base-unknown" "The proposal's only parent is not a snapshot of this journal."
        "Make it on top of `main` (or an earlier snapshot): `folio propose`, or `git commit` on a branch from main.";
    ParentsWrong Integrity "parents-wrong" "The commit does not have the parents its kind asks for."
        "A proposal has one: a snapshot. A snapshot has the previous one, the proposal, and its reviews sorted by digest.";
    NotASnapshot Integrity "not-a-snapshot" "A commit on `main` is not a snapshot."
        "A merge button or a plain push put something else on main. Readers refuse it; the branch must go back to the last snapshot.";
    TreeMismatch Integrity "tree-mismatch" "The tree is not what the decisions make of the previous one."
        "The state was changed without a decision. `folio replay` prints what it should be.";
    TreeMalformed Integrity "tree-malformed" "A tree or table is not in the format."
        "Unknown entries, wrong modes, unsorted or misplaced rows, empty files or the wrong split.";
    PreviewFalse Integrity "preview-false" "The proposal's tree is neither its base plus `decisions.jsonl` nor the state it would make."
        "A preview that lies would mislead reviewers. Make the proposal again with `folio propose`.";
    DuplicateProposal Integrity "duplicate-proposal" "The proposal was already numbered."
        "A proposal is numbered at most once.";
    HeartbeatInvalid Integrity "heartbeat-invalid" "The heartbeat is none."
        "A heartbeat has a snapshot as its only parent, that snapshot's tree, epoch and chain, and the signature of an appointed witness's current key. It decides nothing and can be made again.";
    CatalogInvalid Integrity "catalog-invalid" "The commit does not say where artifacts are, or says it wrongly."
        "A catalog lists sheets by their ids; what is published or offered stands on one and lists the blocks of each sheet, in trees that follow from the sheets. docs/format.md has both; `refs/artifacts/catalog` and `refs/artifacts/published` move together.";
    ReviewInvalid Integrity "review-invalid" "The review is not one that counts."
        "A review has the proposal as its only parent, the proposal's tree, and a reviewer's signature; approvals come from other members than the author.";
    RefInvalid Integrity "ref-invalid" "The ref has a name that Folio does not use, or points to something else than its kind asks for."
        "docs/format.md lists the refs of a space.";
    TwoChildren Integrity "two-children" "Two different pages have one number, and no rule chooses between them."
        "Both are kept, and so is evidence (`folio evidence list`). Ask the witnesses which one holds; `folio pin --takeover CHAIN` follows the other one.";
    WentBack Integrity "went-back" "The other repository shows an older page than it showed before."
        "It was restored from a backup, or it hides pages. Nothing was changed here; evidence is kept (`folio evidence list`). Ask another repository.";
    EvidenceMalformed Integrity "evidence-malformed" "The file is not evidence in its one canonical form."
        "docs/format.md says what an evidence file holds. A file that was changed on its way proves nothing: ask for it again.";
    ManifestMalformed Integrity "manifest-malformed" "The artifact is no manifest in its one canonical form."
        "Lines are canonical JSON, sorted by path, each path once. `folio artifact get --raw KEY` gives its bytes as they are; `folio artifact add DIR` makes it anew.";
    NotFastForward Integrity "not-fast-forward" "`main` would go back, or to another history."
        "`main` only grows: fetch what is there now, and number on top of it. A page that others have seen is taken back by a later decision, never by moving `main`.";
    RefProtected Integrity "ref-protected" "The ref may not be deleted."
        "`main` is never deleted. A proposal may be deleted once it is numbered, a review once its proposal is numbered or gone; until then their author replaces them.";
    ArtifactMissing Environment "artifact-missing" "The bytes of an artifact are not here."
        "A proposal that publishes it waits until they are: its author's `folio push` or `folio submit` sends them along, a stick carries them, and `folio artifact add FILE` adds them from a file. What was published comes with `folio fetch`.";
    ReplacedObjects Integrity "replaced-objects" "The repository has replacement refs, grafts or a shallow boundary that would hide history."
        "Remove `refs/replace` or fetch the whole history: `git replace -d`, `git fetch --unshallow`.";

    SheetMalformed Integrity "sheet-malformed" "A sheet of artifacts is not in its one canonical form."
        "docs/format.md says what a sheet holds. One that was cut short, swapped or changed is refused whole; fetch it again from another clone.";
    ArtifactDamaged Integrity "artifact-damaged" "The bytes of an artifact are not what its key says."
        "Nothing of the damaged part was handed out. The message names the block: fetch it from another clone, or erase it here (`folio artifact purge KEY`) and add the original file again.";

    NotASpace Environment "not-a-space" "There is no Folio space here."
        "Go to one or name it with `-C DIR`; `folio init DIR` founds one.";
    AlreadyARepository Environment "already-a-repository" "There is a git repository here already."
        "A space is a repository of its own. Choose an empty directory.";
    NotEmpty Environment "not-empty" "The directory is not empty."
        "Choose an empty or new directory.";
    Unsupported Environment "unsupported" "The repository uses something that Folio cannot read."
        "The reftable ref format is not supported by this version; use the `files` format.";
    KeyUnusable Environment "key-unusable" "No usable signing key."
        "Name one with `--key FILE`, set `git config user.signingKey`, or make one with `folio key new`.";
    WorktreeChanged Environment "worktree-changed" "Uncommitted changes in the work tree would be overwritten."
        "Put them away first: `git stash`, or `git restore .`. Tables are changed by decisions, not by hand.";
    PenInUse Environment "pen-in-use" "The holder of the pen was seen lately."
        "The policy asks takers to wait until the holder was silent for a while. That is manners and decides nothing: `folio pen take --now` takes it where the policy allows it.";
    RaceLost Environment "race-lost" "Somebody else moved the ref meanwhile."
        "Nothing was changed. Run the command again.";
    Busy Environment "busy" "Another process holds the lock."
        "Wait for it to end and run the command again. A git lock file (`*.lock`) that no process owns may be removed by hand.";
    NotFound Environment "not-found" "There is no such thing."
        "The message says what was looked for. `folio log`, `folio queue` and `folio state` list what there is.";
    RestoredBackup Environment "restored-backup" "Your key signed pages that this repository does not have."
        "The repository was put back to an older state, or it is an older copy. Numbering on it would make second pages with the same numbers. Bring the missing pages first: `folio fetch` from any remote, another clone or a stick; then run the command again. If nobody has them any more, `folio pen take` starts a new epoch.";
    ObjectMissing Environment "object-missing" "An object that should be there is missing."
        "Where the clone is shallow, `git fetch --unshallow` brings the history; where it is damaged, `git fsck --full` names what is, and another clone has it.";
    ObjectDamaged Environment "object-damaged" "An object cannot be read or is not what its id says."
        "The repository is damaged: `git fsck --full` names the objects; fetch them from another clone.";
    CannotMark Environment "cannot-mark" "The collector cannot tell what is still needed, and has removed nothing."
        "The message names what is missing or damaged; `git fsck --full` and `folio verify` look closer. Bring it back from another clone, then run `folio gc` again.";
    Io Environment "io" "Reading or writing failed."
        "The message has the system's words. Nothing half-written is in use: when the cause is gone, run the command again.";
    FileChanged Environment "file-changed" "A file changed or vanished while it was read."
        "What was read may be half old and half new, so nothing names it. Run the command again when nobody writes there.";
    StickTorn Environment "stick-torn" "What is on the stick is not whole."
        "It was torn out while it was written, or copied in part. Nothing of it was taken. Let `folio bundle create STICK` run again on the machine it comes from.";
    BundleGap Environment "bundle-gap" "The bundle builds on something that is not here."
        "Its sender thought that you have it. Give the stick back: it says now what you have. Or ask for `folio bundle create STICK --full`.";
    PushRefused Environment "push-refused" "The other repository refused what was sent."
        "The message has its words; the codes in them are explained by `folio explain CODE`. Nothing was changed here.";
    RemoteFailed Environment "remote-failed" "The other repository could not be reached, or it refused."
        "The message has git's words and those of the other side. Try `git ls-remote URL`; nothing was changed here.";
    TrustNeeded Input "trust-needed" "Nothing says which space this is supposed to be."
        "Ask somebody you trust for the space's id or for a founder's or witness's fingerprint, then: `folio clone URL --space ID` or `--witness FINGERPRINT`.";
    TrustMismatch Integrity "trust-mismatch" "The space over there is not the one that was asked for."
        "Nothing was kept. Check the address, and the id or fingerprint, with somebody you trust.";
    UrlInvalid Input "url-invalid" "That is not an address that Folio fetches from or pushes to."
        "Name a remote (`git remote -v`), an ssh, https, http, git or file URL, `host:path`, a directory, or a bundle file.";
    GitFailed Environment "git-failed" "The git program failed."
        "The message has its words.";
    BadRequest Environment "bad-request" "The command does not make sense as it was given."
        "The message says what was expected.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique_and_found_again() {
        for code in Code::ALL {
            assert_eq!(Code::from_word(code.as_str()), Some(*code));
            let plain = |b: u8| b.is_ascii_lowercase() || b == b'-';
            assert!(code.as_str().bytes().all(plain), "{code}");
        }
    }
}
