mod meanwhile;
mod moving;
mod near;
mod objects;
mod packing;
mod reading;
mod refs;
mod repository;

use super::*;
use crate::store::testing::{FORMATS, commit_of, git, git_output, new_store, object};
use crate::store::{Expect, Kind, Objects, RefEdit, Refs, Script};
use std::fs;
use std::process::Command;

const MAIN: &str = "refs/heads/main";

fn edit(name: &str, expect: Expect, new: Option<Oid>) -> RefEdit {
    RefEdit {
        name: name.into(),
        expect,
        new,
        message: "folio: a test".into(),
    }
}

/// Two commits that exist in the repository.
fn two_commits(store: &GitStore) -> [Oid; 2] {
    let first = commit_of(store, None, &[("a", "1\n")]);
    let parent = first.last().unwrap().0;
    let second = commit_of(store, Some(parent), &[("a", "2\n")]);
    let ids = [parent, second.last().unwrap().0];
    store.write_all(&[first, second].concat()).unwrap();
    ids
}
