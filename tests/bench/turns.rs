//! Commands that take turns under one clock: what is compared with each other meets the same noise, and nothing but
//! starting a process is measured along.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Separates commands.
const NEXT: &str = ":::";

/// Runs each command so many times, in turn, and prints a line for each: the median, the least and the most
/// microseconds that it took. `{i}` is the number of the turn, six digits; `{a}` that of one of ten authors, four.
pub fn print(times: usize, words: &[&str]) {
    let commands: Vec<&[&str]> = words.split(|word| *word == NEXT).collect();
    let mut took = vec![Vec::new(); commands.len()];
    for turn in 0..times {
        for (words, took) in commands.iter().zip(&mut took) {
            took.push(run(words, turn));
        }
    }
    for mut took in took {
        took.sort_by(f64::total_cmp);
        let (least, most) = (took[0], took[took.len() - 1]);
        println!("{:.0} {least:.0} {most:.0}", took[took.len() / 2]);
    }
}

/// Microseconds from the start to the end of one process.
fn run(words: &[&str], turn: usize) -> f64 {
    let (turn, author) = (format!("{turn:06}"), format!("{:04}", turn % 10));
    let words: Vec<String> = words
        .iter()
        .map(|word| word.replace("{i}", &turn).replace("{a}", &author))
        .collect();
    let mut said: File = tempfile::tempfile().expect("a temporary file");
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(said.try_clone().expect("the file"));
    let started = Instant::now();
    let done = command.status();
    let took = started.elapsed().as_secs_f64() * 1e6;
    if !done.as_ref().is_ok_and(std::process::ExitStatus::success) {
        let mut text = String::new();
        let _ = said.rewind().and_then(|()| said.read_to_string(&mut text));
        panic!("{words:?}: {done:?}\n{text}");
    }
    took
}
