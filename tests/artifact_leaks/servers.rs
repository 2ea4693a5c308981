//! git's servers on this machine: the daemon, `http-backend`, and the program that ssh starts.

use crate::sockets::Inetd;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

pub fn git(home: &Path) -> Command {
    let mut git = Command::new("git");
    git.env_clear().current_dir(home).env("HOME", home);
    git.env("PATH", std::env::var_os("PATH").unwrap());
    git.env("GIT_CONFIG_GLOBAL", "/dev/null");
    git.env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
    git.stderr(Stdio::null());
    git
}

/// A daemon that serves everything below a directory.
pub fn daemon(home: &Path) -> Inetd {
    let home = home.to_owned();
    Inetd::serve(move || {
        let mut git = git(&home);
        git.args([
            "daemon",
            "--inetd",
            "--export-all",
            "--enable=upload-archive",
        ]);
        git.arg(format!("--base-path={}", home.display()));
        git
    })
}

/// What ends an answer where the connection was reset.
pub const RESET: &str = "\nthe connection was reset";

/// What the daemon answers to raw bytes; the connection is read to its end.
pub fn ask_daemon(port: u16, service: &str, path: &str, version: u8, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let extra = match version {
        0 => String::new(),
        version => format!("\0version={version}\0"),
    };
    let line = format!("{service} {path}\0host=localhost\0{extra}");
    stream.write_all(&crate::wire::packet(&line)).unwrap();
    // A server that has refused already may not read the rest.
    let _ = stream.write_all(request);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    // One that dies with a part unread resets the connection, and what it said before may never arrive.
    if stream.read_to_end(&mut answer).is_err() {
        answer.extend(RESET.as_bytes());
    }
    answer
}

/// What the program that ssh starts answers.
pub fn ask_program(home: &Path, dir: &Path, version: u8, request: &[u8]) -> Vec<u8> {
    let mut git = git(home);
    if version > 0 {
        git.env("GIT_PROTOCOL", format!("version={version}"));
    }
    git.arg("upload-pack").arg(dir);
    let mut child = git
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(request);
    child.wait_with_output().unwrap().stdout
}

/// `git http-backend` behind a web server of a few lines.
pub struct Web {
    pub port: u16,
    stop: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Web {
    pub fn serve(home: &Path) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, home) = (stop.clone(), home.to_owned());
        let serving = std::thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                // Whoever hangs up early gets no answer.
                let _ = answer(&home, &socket);
            }
        });
        Self {
            port,
            stop,
            serving: Some(serving),
        }
    }

    /// Sends a request as it is; the whole answer.
    pub fn ask(&self, method: &str, path: &str, version: u8, body: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nGit-Protocol: version={version}\r\n\
             Content-Type: application/x-git-upload-pack-request\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn read_request(socket: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        let name = name.to_ascii_lowercase();
        if name == "content-length" {
            length = value.parse().ok()?;
        }
        headers.push((name, value.to_owned()));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        path,
        query,
        headers,
        body,
    })
}

fn answer(home: &Path, mut socket: &TcpStream) -> Option<()> {
    let request = read_request(socket)?;
    let mut git = git(home);
    git.arg("http-backend").env("GIT_PROJECT_ROOT", home);
    git.env("GIT_HTTP_EXPORT_ALL", "")
        .env("REQUEST_METHOD", &request.method);
    git.env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query);
    git.env("CONTENT_LENGTH", request.body.len().to_string());
    for (name, value) in &request.headers {
        match name.as_str() {
            "content-type" => drop(git.env("CONTENT_TYPE", value)),
            "content-encoding" => drop(git.env("HTTP_CONTENT_ENCODING", value)),
            "git-protocol" => drop(git.env("GIT_PROTOCOL", value)),
            _ => {}
        }
    }
    let mut child = git
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take()?;
    let writing = std::thread::spawn(move || {
        let _ = stdin.write_all(&request.body);
    });
    let output = child.wait_with_output().ok()?.stdout;
    let _ = writing.join();
    let head = String::from_utf8_lossy(&output[..output.len().min(1000)]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: "));
    let status = match status {
        Some(status) => &status[..3],
        // A program that died without a word.
        None if output.is_empty() => "500",
        None => "200",
    };
    socket
        .write_all(format!("HTTP/1.1 {status} X\r\nConnection: close\r\n").as_bytes())
        .ok()?;
    socket.write_all(&output).ok()?;
    socket.shutdown(Shutdown::Write).ok()
}

/// Where nothing is.
pub fn ssh_script(home: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    // What a forced command does: it starts what git asks for, with the protocol that was asked for.
    let path = home.join("ssh.sh");
    std::fs::write(
        &path,
        "#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}
