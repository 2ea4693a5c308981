//! Ports and processes that end with the test.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that is killed when the test is done with it.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Whether it ended by itself.
    pub fn ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tries until it works or the process is gone; panics when that takes too long.
pub fn wait_for(running: &mut Running, ready: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !ready() {
        if running.ended() {
            return false;
        }
        assert!(start.elapsed() < PATIENCE, "the server does not answer");
        std::thread::yield_now();
    }
    true
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    any.local_addr().unwrap().port()
}

/// Whether somebody answers there.
pub fn answers(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port of our own, whose connections each get a process with the socket as standard input and output,
/// as inetd does it.
pub struct Inetd {
    pub port: u16,
    stop: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Inetd {
    pub fn serve(command: impl Fn() -> Command + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let serving = std::thread::spawn(move || {
            let mut running = Vec::new();
            while let Ok((socket, _)) = listener.accept() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let other = socket.try_clone().unwrap();
                let mut command = command();
                command.stdin(Stdio::from(OwnedFd::from(socket)));
                command.stdout(Stdio::from(OwnedFd::from(other)));
                running.push(Running::start(&mut command));
            }
        });
        Self {
            port,
            stop,
            serving: Some(serving),
        }
    }
}

impl Drop for Inetd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        answers(self.port);
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}
