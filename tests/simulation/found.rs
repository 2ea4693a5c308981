//! Schedules that went wrong once, or showed something worth knowing, step by step.

use crate::check;
use crate::exchange::{fetch, follow, push};
use crate::world::{ALICE, HOME, Setting, WANDA, WIM, World};
use folio::journal::reconcile::course::Course;
use folio::journal::reconcile::takeover::{Stand, Why};
use folio::model::Code;

fn world() -> World {
    World::new(1, Setting::default())
}

/// Numbers something of alice's at wanda's, and pushes it.
fn home_goes_on(world: &mut World) {
    let line = r#"{"op":"alias.set","alias":"a","target":"b"}"#;
    let page = world.nodes[ALICE].tip();
    let decisions = vec![crate::common::decision(line)];
    let made = world.nodes[ALICE]
        .propose(&page, "one", &|_, _| Ok(decisions.clone()))
        .unwrap();
    world.made.push(made);
    let shown = world.shown_by(ALICE);
    fetch(&mut world.nodes[WANDA], &shown).unwrap();
    numbers(world, WANDA, 1);
}

fn numbers(world: &mut World, at: usize, count: usize) {
    assert_eq!(
        world.nodes[at].accept(&|_| true).unwrap().numbered.len(),
        count
    );
    let (node, home) = world.with_home(at);
    push(node, home, true).unwrap();
    world.look_at_home().unwrap();
}

fn ends_well(world: &mut World) {
    world.settle().unwrap();
    check::at_the_end(world).unwrap();
}

/// An approved take that came too late was called the better one, beside what home has: nothing was said, and
/// nothing could be pushed from there any more.
#[test]
fn a_take_that_home_went_past_stops_its_witness() {
    let mut world = world();
    world.take_here(WIM, true).unwrap();
    home_goes_on(&mut world);
    let before = world.nodes[WIM].main();
    let home = world.shown_by(HOME);
    let received = fetch(&mut world.nodes[WIM], &home).unwrap();
    let Some(Course::Fork(fork)) = received.course else {
        panic!("{received:?}");
    };
    assert_eq!(fork.stand, Stand::Stop(Why::HomeWentOn));
    assert_eq!(world.nodes[WIM].main(), before, "nobody chose yet");
    let tip = world.home().tip();
    follow(&mut world.nodes[WIM], &tip).unwrap();
    assert_eq!(world.nodes[WIM].main(), tip.id);
    ends_well(&mut world);
}

/// From anybody else the same chain is a leftover, and the take stands.
#[test]
fn a_take_stands_beside_pages_that_a_stick_brings() {
    let mut world = world();
    world.take_here(WIM, true).unwrap();
    let (node, home) = world.with_home(WIM);
    push(node, home, true).unwrap();
    world.look_at_home().unwrap();
    let line = r#"{"op":"bind","a":"a","b":"b"}"#;
    let page = world.nodes[WANDA].tip();
    let decisions = vec![crate::common::decision(line)];
    let shown = world.shown_by(ALICE);
    let made = world.nodes[ALICE]
        .propose(&page, "two", &|_, _| Ok(decisions.clone()))
        .unwrap();
    world.made.push(made);
    let from_alice = world.shown_by(ALICE);
    assert_ne!(shown.refs, from_alice.refs);
    fetch(&mut world.nodes[WANDA], &from_alice).unwrap();
    assert_eq!(
        world.nodes[WANDA].accept(&|_| true).unwrap().numbered.len(),
        1
    );
    let from_wanda = world.shown_by(WANDA);
    let received = fetch(&mut world.nodes[WIM], &from_wanda).unwrap();
    let Some(Course::Fork(fork)) = received.course else {
        panic!("{received:?}");
    };
    assert_eq!(fork.stand, Stand::Keep);
    // Wanda hears of it at home: her page gives way, and what it numbered waits again.
    let home = world.shown_by(HOME);
    let received = fetch(&mut world.nodes[WANDA], &home).unwrap();
    assert!(received.lost.is_some());
    assert_eq!(received.returned.len(), 1);
    ends_well(&mut world);
}

/// A memory orders by epoch first. Whoever took the pen twice away from home, and gave way, begins no epoch that
/// they signed in or below; the other witness does.
#[test]
fn a_witness_whose_takes_were_cut_off_lets_the_other_take_first() {
    let mut world = world();
    world.take_here(WIM, true).unwrap();
    world.take_here(WIM, true).unwrap();
    let made = world.nodes[WANDA].propose_release().unwrap();
    world.made.push(made);
    numbers(&mut world, WANDA, 1);
    let home = world.shown_by(HOME);
    fetch(&mut world.nodes[WIM], &home).unwrap();
    let tip = world.home().tip();
    follow(&mut world.nodes[WIM], &tip).unwrap();
    assert_eq!(
        world.take_here(WIM, false).unwrap_err().code,
        Code::AlreadySigned
    );
    world.take_here(WANDA, false).unwrap();
    let (node, home) = world.with_home(WANDA);
    push(node, home, true).unwrap();
    let home = world.shown_by(HOME);
    fetch(&mut world.nodes[WIM], &home).unwrap();
    world.take_here(WIM, true).unwrap();
    assert_eq!(world.nodes[WIM].pen().unwrap().epoch.0, 3);
    ends_well(&mut world);
}
