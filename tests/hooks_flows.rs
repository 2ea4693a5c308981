//! What a server with the hooks lets through: the daily life of a space, pushed by plain git.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
#[path = "common/server.rs"]
mod server;

use server::{Served, refused, set};

#[test]
fn a_proposal_is_pushed_numbered_and_removed() {
    let served = Served::new();
    let name = "refs/heads/proposals/bob/kyiv";
    served.fixture.propose("bob", "kyiv", &set("Kiev", "Kyiv"));
    served.push(&["proposals/bob/kyiv"]).ok();
    assert!(served.at(name).is_some());
    // Replaced freely.
    served.fixture.git(&["update-ref", "-d", name]);
    served.fixture.propose("bob", "kyiv", &set("Kiev", "Kyjiw"));
    served.push(&["+proposals/bob/kyiv"]).ok();
    // Not to be deleted while it waits.
    let said = refused(served.push(&[":proposals/bob/kyiv"]), "ref-protected", name);
    assert!(said.contains("not numbered"), "{said}");
    // Numbered and removed in one push.
    served.fixture.accept_all();
    served.push(&["main", ":proposals/bob/kyiv"]).ok();
    assert_eq!(served.at(name), None);
    served.on_server(&["verify"]).ok();
    assert_eq!(served.on_server(&["resolve", "Kiev"]).ok(), "Kyjiw\n");
    assert!(served.server.join("folio/wake").exists());
}

#[test]
fn a_numbered_proposal_may_be_removed_later_too() {
    let served = Served::new();
    served.fixture.propose("bob", "kyiv", &set("Kiev", "Kyiv"));
    served.push(&["proposals/bob/kyiv"]).ok();
    served.fixture.accept_all();
    served.number("other");
    served.push(&["main"]).ok();
    served.push(&[":proposals/bob/kyiv"]).ok();
    assert_eq!(served.at("refs/heads/proposals/bob/kyiv"), None);
}
