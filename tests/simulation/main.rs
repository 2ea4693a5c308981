//! The whole of it at once: random schedules over the real code, with stores and memories that fail where the
//! schedule says. At the end every honest reader has the same chain, each accepted proposal is there once, and each
//! refused one has its reason.
//!
//! A failing schedule prints its seed and what happened in it. `FOLIO_SIMULATION_SEED=<seed>` runs that one alone,
//! `FOLIO_SIMULATION_RUNS=<n>` runs so many.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;

mod check;
mod exchange;
mod found;
mod memory;
mod mirror;
mod node;
mod settle;
mod steps;
mod thief;
mod world;

use std::collections::BTreeMap;
use world::{Broken, Setting, World};

/// One schedule: a seed, how many steps, and what it is played with.
fn play(seed: u64, steps: usize, setting: Setting) -> (World, Result<(), Broken>) {
    let mut world = World::new(seed, setting);
    let mut run = || {
        for _ in 0..steps {
            world.step()?;
        }
        world.settle()?;
        check::at_the_end(&mut world)
    };
    let ended = run();
    (world, ended)
}

/// What a seed stands for besides its steps.
fn setting_of(seed: u64) -> Setting {
    Setting {
        appointed: seed.is_multiple_of(4),
        at_home: seed % 3 == 1,
        ..Setting::default()
    }
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

fn play_many(seeds: std::ops::Range<u64>, steps: usize) {
    let seeds = match number_from("FOLIO_SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => seeds,
    };
    println!("schedules {seeds:?} of {steps} steps");
    let (mut tally, mut failed) = (BTreeMap::<&str, u64>::new(), Vec::new());
    for seed in seeds {
        let (world, ended) = play(seed, steps, setting_of(seed));
        if let Err(broken) = ended {
            let trace = world.trace.join("\n  ");
            println!("seed {seed}, {:?}:\n  {trace}\n{broken}\n", world.setting);
            failed.push((seed, broken));
        }
        for (what, count) in world.tally {
            *tally.entry(what).or_default() += count;
        }
    }
    for (what, count) in tally {
        println!("{count:8} {what}");
    }
    assert!(
        failed.is_empty(),
        "schedules of {steps} steps that broke: {failed:#?}"
    );
}

fn runs() -> u64 {
    number_from("FOLIO_SIMULATION_RUNS").unwrap_or(2_000)
}

// Two tests, so that both cores have something to do.
#[test]
fn short_schedules_end_well() {
    play_many(0..runs() / 2, 25);
}

#[test]
fn more_short_schedules_end_well() {
    play_many(runs() / 2..runs(), 25);
}

#[test]
fn long_schedules_end_well() {
    play_many(1_000_000..1_000_000 + runs() / 200, 300);
}

/// With a rule switched off some schedule has to break in these words.
#[track_caller]
fn assert_breaks(rule: impl Fn(&mut Setting), words: &str) {
    let mut other = Vec::new();
    for seed in 0..200 {
        let mut setting = setting_of(seed);
        rule(&mut setting);
        match play(seed, 40, setting).1 {
            Err(broken) if broken.contains(words) => return,
            ended => other.extend(ended.err()),
        }
    }
    panic!("no schedule broke by `{words}`: {other:#?}");
}

#[test]
fn witnesses_without_a_memory_are_caught() {
    assert_breaks(|setting| setting.forgets = true, "twice");
}

#[test]
fn readers_who_follow_everybody_are_caught() {
    let words = "went over to a chain that no approved take leads";
    assert_breaks(|setting| setting.gullible = true, words);
}

#[test]
fn a_home_without_a_gate_is_caught() {
    assert_breaks(|setting| setting.no_gate = true, "home went from");
}
