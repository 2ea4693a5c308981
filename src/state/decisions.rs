//! `decisions.jsonl` beside the tables: a proposal's tree is a state plus this one file.

use super::tree::Root;
use super::{StateFault, Tables};
use crate::model::Oid;
use crate::store::{Kind, Objects};

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// The tree of a state plus `decisions.jsonl` with that blob; staged. The blob itself is the
    /// caller's to write.
    pub fn with_decisions(&self, root: Option<Oid>, blob: Oid) -> Result<Oid, StateFault> {
        let mut tree = Root::clone(&*self.root(root)?);
        tree.decisions = Some(blob);
        Ok(self.put_root(tree, &[]))
    }

    /// The blob of `decisions.jsonl` in a proposal's tree.
    pub fn decisions_of(&self, root: Oid) -> Result<Option<Oid>, StateFault> {
        Ok(self.root_once(root)?.decisions)
    }

    /// Takes a proposal's tree apart: the id that its state has without `decisions.jsonl`, and that
    /// file's blob. The id is for comparing and nothing is staged: such a tree need not exist. To
    /// read the state, use the proposal's tree itself; reading skips the file.
    pub fn split_decisions(&self, root: Oid) -> Result<(Oid, Option<Oid>), StateFault> {
        let tree = self.root_once(root)?;
        if tree.decisions.is_none() {
            return Ok((root, None));
        }
        let mut state = Root::clone(&tree);
        state.decisions = None;
        let id = self.store.id_of(Kind::Tree, &state.encode());
        Ok((id, tree.decisions))
    }
}
