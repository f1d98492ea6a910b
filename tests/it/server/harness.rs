//! A real server process on loopback, a real policy tree, and the tools that
//! a user has: curl's place is taken by `ureq`, Clevis and cryptsetup are
//! the distribution's own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A policy in which everything on loopback may unlock in production.
pub(crate) const POLICY: &str = r#"edition 2026

tag env = production | dev required
tag role = database | web

network loopback = [127.0.0.0/8, ::1]

person alice { email "alice@example.com"  role owner in org }
person bob   { role operator in org }
person carol { role viewer in org }
service robot { owner alice  role operator in org }
team dba = [bob, carol]

unlock servers {
  where env == production
  allow from loopback
}

approval databases {
  on        unlock where env == production and role == database
  approvers team dba
}
"#;

/// A running `panopol serve`; ended when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) unlock: String,
    pub(crate) admin: String,
    pub(crate) token: String,
    pub(crate) dir: PathBuf,
    keep: Option<tempfile::TempDir>,
}

impl Server {
    /// Starts `serve --dev` with `policy` in a fresh directory.
    pub(crate) fn start(policy: &str) -> Server {
        Self::start_with(policy, &[])
    }

    /// The same with more flags.
    pub(crate) fn start_with(policy: &str, flags: &[&str]) -> Server {
        let keep = directory(policy);
        let dir = keep.path().to_owned();
        let mut server = Self::launch(&dir, flags);
        server.keep = Some(keep);
        server
    }

    /// Starts `serve --dev` in a directory that holds `policy/` and maybe `state/`.
    pub(crate) fn launch(dir: &Path, flags: &[&str]) -> Server {
        Self::launch_plain(dir, &[&["--dev"], flags].concat())
    }

    /// The same without `--dev`.
    pub(crate) fn launch_plain(dir: &Path, flags: &[&str]) -> Server {
        Self::spawn(dir, command(dir, flags))
    }

    /// Runs `command`, which is to end in a server of `dir`, until it is ready.
    pub(crate) fn spawn(dir: &Path, mut command: Command) -> Server {
        let ready = dir.join("ready.json");
        let _ = std::fs::remove_file(&ready);
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(dir.join("log"))
            .unwrap();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let began = Instant::now();
        let value = loop {
            if let Ok(text) = std::fs::read_to_string(&ready)
                && let Ok(value) = serde_json::from_str::<Value>(&text)
            {
                break value;
            }
            let ended = child.try_wait().unwrap();
            if ended.is_some() || began.elapsed() > Duration::from_secs(60) {
                let _ = child.kill();
                let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
                panic!("the server did not get ready ({ended:?}):\n{log}");
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let word = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Server {
            child,
            unlock: word("unlock"),
            admin: word("admin"),
            token: word("token"),
            dir: dir.to_owned(),
            keep: None,
        }
    }

    /// Ends the directory with the server.
    pub(crate) fn own(&mut self, dir: tempfile::TempDir) {
        self.keep = Some(dir);
    }

    /// Replaces the policy's file and reloads by API.
    pub(crate) fn policy(&self, text: &str) -> (u16, Value) {
        std::fs::write(self.dir.join("policy/main.pano"), text).unwrap();
        self.api("POST", "/policy/reload", Some(json!({})))
    }

    /// One call of the admin API with the server's own token.
    pub(crate) fn api(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.api_as(&self.token, method, path, body)
    }

    /// One call of the admin API.
    pub(crate) fn api_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let url = format!("{}/api/v1{path}", self.admin);
        let headers = [("authorization", format!("Bearer {token}"))];
        let (status, text) = http(method, &url, &headers, body.map(|body| body.to_string()));
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Enrolls a device and returns the answer.
    pub(crate) fn enroll(&self, name: &str, tags: Value, bindings: u32) -> Value {
        let body = json!({"name": name, "tags": tags, "bindings": bindings});
        let (status, answer) = self.api("POST", "/devices", Some(body));
        assert_eq!(status, 201, "{answer}");
        answer
    }

    /// Runs a panopol command against this server.
    pub(crate) fn panopol(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_panopol"))
            .args(args)
            .env("PANOPOL_URL", &self.admin)
            .env("PANOPOL_TOKEN", &self.token)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Ends the server without warning, as a power cut would.
    pub(crate) fn kill(mut self) -> Option<tempfile::TempDir> {
        let _ = self.child.kill();
        self.child.wait().unwrap();
        self.keep.take()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let (done, said) = run(Command::new("kill").args(["-s", name, &pid]));
        assert!(done, "{said}");
    }

    /// Sends one request to the unlock plane.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &str, body: &[u8]) -> Reply {
        send(&self.unlock, &bytes_of(method, target, headers, body)).unwrap()
    }

    /// A line of `/metrics`.
    pub(crate) fn metric(&self, start: &str) -> Option<f64> {
        let (_, text) = http("GET", &format!("{}/metrics", self.admin), &[], None);
        let line = text
            .lines()
            .find(|line| line.starts_with(start))?
            .to_owned();
        line.rsplit(' ').next()?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `serve` in `dir` on ports of its own, unless `flags` say which.
pub(crate) fn command(dir: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_panopol"));
    command.arg("serve");
    for listen in ["--unlock-listen", "--admin-listen"] {
        if !flags.contains(&listen) {
            command.args([listen, "127.0.0.1:0"]);
        }
    }
    for (flag, path) in [
        ("--policy", "policy"),
        ("--state", "state"),
        ("--ready-file", "ready.json"),
    ] {
        if !flags.contains(&flag) {
            command.arg(flag).arg(dir.join(path));
        }
    }
    command.args(flags);
    command
}

/// A directory with `policy/` alone.
pub(crate) fn directory(policy: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("policy")).unwrap();
    std::fs::write(dir.path().join("policy/main.pano"), policy).unwrap();
    dir
}

/// Starts a server that is to refuse to; its exit code and what it said.
pub(crate) fn refused(dir: &Path, flags: &[&str]) -> (Option<i32>, String) {
    refusal(command(dir, flags))
}

/// The same of a command that ends in a server.
pub(crate) fn refusal(mut command: Command) -> (Option<i32>, String) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(30) {
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Waits until something holds, and not for ever.
pub(crate) fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An HTTP answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Names in lower case, in their order; without the date.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Reads one answer; none where the connection ends first.
    pub(crate) fn read(stream: impl std::io::Read) -> Option<Reply> {
        use std::io::{BufRead, Read};
        let mut stream = std::io::BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            if !name.eq_ignore_ascii_case("date") {
                headers.push((name.to_ascii_lowercase(), value.to_owned()));
            }
        }
        let mut reply = Reply {
            status,
            headers,
            body: Vec::new(),
        };
        let length = reply.header("content-length").unwrap_or("0").parse();
        reply.body = vec![0; length.ok()?];
        stream.read_exact(&mut reply.body).ok()?;
        Some(reply)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A connection to the server at `url`, with a limit on waiting.
pub(crate) fn connect(url: &str) -> std::net::TcpStream {
    let stream = std::net::TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// Sends `bytes` to the server at `url` and reads one answer.
pub(crate) fn send(url: &str, bytes: &[u8]) -> Option<Reply> {
    use std::io::Write;
    let mut stream = connect(url);
    // It may answer and close before it has read everything.
    let _ = stream.write_all(bytes);
    Reply::read(stream)
}

/// The bytes of a request with more header lines, each with its end.
pub(crate) fn bytes_of(method: &str, target: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes = format!(
        "{method} {target} HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n{headers}\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The path of a binding's URL, and the thumbprints of its signing and exchange key.
pub(crate) fn binding(server: &Server, device: &Value, number: usize) -> (String, String, String) {
    let url = device["bindings"][number]["url"].as_str().unwrap();
    let path = url.strip_prefix(&server.unlock).unwrap().to_owned();
    let name = device["name"].as_str().unwrap();
    let (_, shown) = server.api("GET", &format!("/devices/{name}"), None);
    let key = |role: &str| {
        let keys = shown["bindings"][number]["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["role"] == role).unwrap();
        key["thumbprint"].as_str().unwrap().to_owned()
    };
    (path, key("signing"), key("exchange"))
}

/// One HTTP request; the status and the body.
pub(crate) fn http(
    method: &str,
    url: &str,
    headers: &[(&str, String)],
    body: Option<String>,
) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let request = request.body(body.unwrap_or_default().into_bytes()).unwrap();
    let mut response = agent.run(request).unwrap();
    let status = response.status().as_u16();
    (status, response.body_mut().read_to_string().unwrap())
}

/// Runs a command to its end; its success and all that it printed.
pub(crate) fn run(command: &mut Command) -> (bool, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

/// A LUKS2 volume in a plain file with one passphrase.
pub(crate) struct Volume {
    pub(crate) image: PathBuf,
    pub(crate) passphrase: PathBuf,
}

impl Volume {
    /// Makes one named `name` in `dir`; cheap key derivation, since it guards nothing.
    pub(crate) fn create(dir: &Path, name: &str) -> Volume {
        let image = dir.join(name);
        let passphrase = dir.join(format!("{name}.passphrase"));
        std::fs::write(&passphrase, "correct horse").unwrap();
        let file = std::fs::File::create(&image).unwrap();
        file.set_len(32 << 20).unwrap();
        let (done, said) = run(Command::new("cryptsetup")
            .args(["luksFormat", "--batch-mode", "--type", "luks2"])
            .args(["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"])
            .arg(&image)
            .arg(&passphrase));
        assert!(done, "{said}");
        Volume { image, passphrase }
    }

    /// `clevis luks bind` with `pin` and its configuration.
    pub(crate) fn bind(&self, pin: &str, config: &Value) {
        let (done, said) = run(Command::new("clevis")
            .args(["luks", "bind", "-y", "-k"])
            .arg(&self.passphrase)
            .arg("-d")
            .arg(&self.image)
            .args([pin, &config.to_string()]));
        assert!(done, "clevis luks bind: {said}");
    }

    /// `clevis luks pass` of a slot: the passphrase, if the exchange succeeds.
    pub(crate) fn pass(&self, slot: u32) -> Result<Vec<u8>, String> {
        let output = Command::new("clevis")
            .args(["luks", "pass", "-d"])
            .arg(&self.image)
            .args(["-s", &slot.to_string()])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        if output.status.success() && !output.stdout.is_empty() {
            Ok(output.stdout)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Whether `cryptsetup` takes the passphrase that Clevis got for a slot.
    pub(crate) fn opens(&self, slot: u32) -> bool {
        use std::io::Write;
        let Ok(passphrase) = self.pass(slot) else {
            return false;
        };
        let mut child = Command::new("cryptsetup")
            .args(["open", "--test-passphrase", "--key-file", "-"])
            .arg(&self.image)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&passphrase).unwrap();
        child.wait().unwrap().success()
    }
}

/// The Clevis configuration of one binding, pinned by its signing key.
pub(crate) fn tang_config(binding: &Value) -> Value {
    let bind = binding["bind"].as_str().unwrap();
    let start = bind.find('{').unwrap();
    let end = bind.rfind('}').unwrap();
    serde_json::from_str(&bind[start..=end]).unwrap()
}
