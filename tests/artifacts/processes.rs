//! Several writers at once.

use super::world::*;
use std::thread;

#[test]
fn concurrent_adds_all_count() {
    let world = World::sha1();
    thread::scope(|scope| {
        for writer in 0..4u64 {
            let world = &world;
            scope.spawn(move || {
                // Each has handles of its own, as a process has.
                for round in 0..6 {
                    let own = text(writer * 100 + round, 2000);
                    let shared = text(round, 3000);
                    let large = noise(round, 400_000);
                    for added in world.add(&[&own, &shared, &large]) {
                        assert!(world.read(&added.key).is_ok());
                    }
                }
            });
        }
    });
    let shelves = world.shelves();
    let keys: Vec<_> = shelves
        .internal()
        .keys()
        .unwrap()
        .map(|key| key.unwrap().key)
        .collect();
    assert_eq!(keys.len(), 4 * 6 + 6 + 6);
    for key in &keys {
        assert_eq!(key_of(&read(&shelves, key).unwrap()), *key);
    }
    assert!(world.packs().len() < 40, "{}", world.packs().len());
}

#[test]
fn real_processes_add_at_once() {
    let fixture = super::cli::Fixture::bare();
    let mut running = Vec::new();
    for n in 0..4 {
        let file = fixture.write(&format!("file{n}"), &"text ".repeat(1000 * (n + 1)));
        let mut command = fixture.command(&fixture.space, None);
        command.args(["artifact", "add"]).arg(file);
        command
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped());
        running.push(command.spawn().unwrap());
    }
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let listed = fixture.run("alice", &["artifact", "ls", "--json"]).json();
    assert_eq!(listed["artifacts"].as_array().unwrap().len(), 4);
    fixture.run("alice", &["artifact", "verify"]).ok();
}
