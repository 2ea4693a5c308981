//! `git http-backend` behind nginx, with fcgiwrap between them.

use super::server::Served;
use super::sockets::{Running, answers, free_port, wait_for};
use super::{Way, program};
use std::path::Path;
use std::process::{Command, Stdio};

/// The configuration of docs/servers.md, for one user and one port.
fn configuration(dir: &Path, port: u16, backend: &str) -> String {
    let (dir, path) = (dir.display(), std::env::var("PATH").unwrap());
    format!(
        r#"daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log; worker_processes 1;
events {{}}
http {{
    access_log off; client_max_body_size 0;
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            fastcgi_pass unix:{dir}/fcgi.sock;
            fastcgi_param SCRIPT_FILENAME {backend};
            fastcgi_param GIT_PROJECT_ROOT {dir};
            fastcgi_param GIT_HTTP_EXPORT_ALL "";
            fastcgi_param PATH_INFO $uri;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param REMOTE_USER somebody;
            fastcgi_param PATH "{path}";
            fastcgi_param HOME {dir};
            fastcgi_param GIT_CONFIG_NOSYSTEM 1;
        }}
    }}
}}
"#
    )
}

fn quiet(program: &str, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// nginx on a port that nobody else took meanwhile. Its workers run as whoever runs the test.
fn nginx(program: &str, dir: &Path, backend: &str) -> (Running, u16) {
    let who = Command::new("id").arg("-un").output().unwrap().stdout;
    let who = String::from_utf8(who).unwrap();
    for _ in 0..5 {
        let port = free_port();
        let text = format!(
            "user {};\n{}",
            who.trim(),
            configuration(dir, port, backend)
        );
        std::fs::write(dir.join("nginx.conf"), text).unwrap();
        let mut command = quiet(program, dir);
        command
            .arg("-p")
            .arg(dir)
            .arg("-c")
            .arg(dir.join("nginx.conf"));
        command.arg("-e").arg(dir.join("nginx.log"));
        let mut running = Running::start(&mut command);
        if wait_for(&mut running, || answers(port)) {
            return (running, port);
        }
    }
    let log = std::fs::read_to_string(dir.join("nginx.log")).unwrap_or_default();
    panic!("nginx does not start: {log}");
}

#[test]
fn http_backend_behind_nginx() {
    let (Some(web), Some(wrap)) = (program("nginx"), program("fcgiwrap")) else {
        return;
    };
    let exec = Command::new("git")
        .arg("--exec-path")
        .output()
        .unwrap()
        .stdout;
    let backend = format!(
        "{}/git-http-backend",
        String::from_utf8(exec).unwrap().trim()
    );
    if !Path::new(&backend).exists() {
        eprintln!("skipped: this git has no http-backend");
        return;
    }
    let served = Served::empty();
    let dir = served.fixture.home.path();
    let socket = dir.join("fcgi.sock");
    let mut command = quiet(&wrap, dir);
    command.arg("-s").arg(format!("unix:{}", socket.display()));
    let mut fcgi = Running::start(&mut command);
    assert!(
        wait_for(&mut fcgi, || socket.exists()),
        "fcgiwrap does not start"
    );
    let (_nginx, port) = nginx(&web, dir, &backend);
    let way = Way {
        url: format!("http://127.0.0.1:{port}/server.git"),
        served: &served,
        ssh: None,
    };
    way.carries_a_space();
}
