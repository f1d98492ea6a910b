//! Who is told, and that nobody waits for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::approvals::{FLAGS, POLICY, exchange, mint};
use super::harness::{Server, bytes_of, directory, refused, run, wait_for};

const SECRET: &str = "correct horse battery staple";

/// One request that a receiver got.
#[derive(Clone, Debug)]
struct Got {
    head: String,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        found.next().map_or("", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What a receiver does with its request number `n`, from 0.
type Answers = fn(usize) -> Option<u16>;

/// Somebody who is told over HTTP.
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Got>>>,
    down: Arc<AtomicBool>,
}

impl Receiver {
    fn start(answers: Answers) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Receiver {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            got: Arc::default(),
            down: Arc::default(),
        };
        let (got, down) = (Arc::clone(&receiver.got), Arc::clone(&receiver.down));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // One that is down ends each connection before it reads.
                if !down.load(Ordering::Relaxed) {
                    serve(stream.unwrap(), &got, answers);
                }
            }
        });
        receiver
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    fn types(&self) -> Vec<String> {
        let got = self.got();
        let types = got.iter().map(|one| one.json()["type"].clone());
        types.map(|one| one.as_str().unwrap().to_owned()).collect()
    }

    fn wait(&self, count: usize) -> Vec<Got> {
        wait_for("it is told", || self.got().len() >= count);
        self.got()
    }
}

fn serve(stream: TcpStream, got: &Mutex<Vec<Got>>, answers: Answers) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let mut one = Got {
        head: head.clone(),
        body: String::new(),
    };
    let mut body = vec![0; one.header("content-length").parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    one.body = String::from_utf8(body).unwrap();
    let number = {
        let mut got = got.lock().unwrap();
        got.push(one);
        got.len() - 1
    };
    let Some(status) = answers(number) else {
        // Stuck: the connection stands, and nothing comes.
        std::mem::forget(stream);
        return;
    };
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = (&stream).write_all(answer.as_bytes());
}

/// A server whose notifications `sinks` says.
struct World {
    server: Server,
    bob: String,
}

/// Writes the files that a server with these sinks needs.
fn prepare(dir: &Path, sinks: &str) -> String {
    let secret = dir.join("secret");
    if !secret.exists() {
        std::fs::write(&secret, SECRET).unwrap();
        let (done, said) = run(std::process::Command::new("chmod").arg("600").arg(&secret));
        assert!(done, "{said}");
    }
    let file = dir.join("notify.toml");
    let sinks = sinks.replace("SECRET", secret.to_str().unwrap());
    std::fs::write(&file, sinks.replace("DIR", dir.to_str().unwrap())).unwrap();
    file.to_str().unwrap().to_owned()
}

impl World {
    fn start(policy: &str, sinks: &str) -> World {
        let keep = directory(policy);
        let file = prepare(keep.path(), sinks);
        let flags = [&FLAGS[..], &["--notify", &file]].concat();
        let mut server = Server::launch(keep.path(), &flags);
        server.own(keep);
        let bob = mint(&server, &mint(&server, &server.token, "bob"), "bob");
        World { server, bob }
    }

    fn database(&self, name: &str) -> Value {
        let tags = json!({"env": "production", "role": "database"});
        self.server.enroll(name, tags, 1)
    }

    fn say(&self, device: &str, verdict: &str) {
        let path = format!("/approvals?state=pending&device={device}");
        let request = self.server.api("GET", &path, None).1["items"][0].clone();
        let path = format!("/approvals/{}/{verdict}", request["id"].as_str().unwrap());
        let body = json!({"digest": request["digest"], "note": "by <a> test & more"});
        let (status, answer) = self.server.api_as(&self.bob, "POST", &path, Some(body));
        assert_eq!(status, 200, "{answer}");
    }

    fn counted(&self, result: &str) -> f64 {
        let name = format!("panopol_notifications_total{{sink=\"s\",result=\"{result}\"}}");
        self.server.metric(&name).unwrap()
    }
}

/// The sink's place on disk is that of the message with this id: it is counted
/// as delivered a moment before.
fn expect_kept(server: &Server, id: &str) {
    wait_for("the place is kept", || {
        let place = std::fs::read_to_string(server.dir.join("state/notify/s.json"));
        place.is_ok_and(|text| {
            let seq = &serde_json::from_str::<Value>(&text).unwrap()["seq"];
            id.contains(&format!("-{seq}-"))
        })
    });
}

fn webhook(url: &str, more: &str) -> String {
    format!(
        "[[sink]]\nname = \"s\"\nform = \"webhook\"\nurl = \"{url}\"\nsecret = \"SECRET\"\n{more}\n"
    )
}

/// The signature as its receivers compute it.
fn expected_signature(got: &Got) -> String {
    use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};
    let key = PKey::hmac(SECRET.as_bytes()).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    let (id, time) = (got.header("webhook-id"), got.header("webhook-timestamp"));
    let signed = format!("{id}.{time}.{}", got.body);
    signer.update(signed.as_bytes()).unwrap();
    let mac = openssl::base64::encode_block(&signer.sign_to_vec().unwrap());
    format!("v1,{mac}")
}

#[test]
fn a_webhook_tells_what_people_need_and_is_signed() {
    let receiver = Receiver::start(|_| Some(204));
    let world = World::start(POLICY, &webhook(&receiver.url, ""));
    let device = world.database("db-1");
    assert_eq!(exchange(&world.server, &device, 0), 503);
    receiver.wait(1);
    // Retries are the same request, and worth no second message.
    assert_eq!(exchange(&world.server, &device, 0), 503);
    world.say("db-1", "approve");
    receiver.wait(2);
    world.say_again_denied();
    assert_eq!(world.server.policy(&format!("{POLICY}\n# more\n")).0, 200);
    assert_eq!(world.server.policy("edition 2026\nnonsense").0, 422);
    let got = receiver.wait(5);
    // The API and the watch of the file may each find the tree broken.
    assert_eq!(
        receiver.types()[..5],
        [
            "approval.requested",
            "approval.approved",
            "approval.denied",
            "policy.reloaded",
            "policy.rejected"
        ]
    );
    for one in &got {
        assert_eq!(one.header("webhook-signature"), expected_signature(one));
        assert_eq!(one.json()["id"], one.header("webhook-id"));
        assert!(!one.body.contains("http"), "no link: {}", one.body);
        assert!(!one.body.contains("pano_"), "no token: {}", one.body);
    }
    let (asked, approved) = (got[0].json(), got[1].json());
    assert_eq!(asked["v"], 1);
    assert_eq!(asked["device"], "db-1");
    let facts = &asked["approval"];
    assert_eq!(facts["kind"], "unlock");
    assert_eq!(facts["state"], "pending");
    assert_eq!(facts["source"], "127.0.0.1");
    assert_eq!(facts["groups"], json!(["databases"]));
    assert_eq!(facts["approvers"], json!(["bob", "carol"]));
    assert_eq!(facts["need"][0]["clauses"][0]["count"], 1);
    assert!(facts["expires"].is_string() && facts["decided_by"].is_null());
    let facts = &approved["approval"];
    assert_eq!(facts["state"], "approved");
    assert_eq!(facts["decided_by"], "bob");
    assert_eq!(facts["note"], "by <a> test & more");
    assert_eq!(facts["id"], asked["approval"]["id"]);
    assert!(got[3].json()["policy"]["digest"].is_string());
    let refused = got[4].json();
    assert!(!refused["policy"]["summary"].as_str().unwrap().is_empty());
    wait_for("it is counted", || world.counted("delivered") >= 5.0);
    assert_eq!(world.counted("retried"), 0.0);
}

impl World {
    /// Bob takes back what he approved.
    fn say_again_denied(&self) {
        let (_, list) = self.server.api("GET", "/approvals?state=approved", None);
        let id = list["items"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/approvals/{id}/deny");
        let (status, answer) = self
            .server
            .api_as(&self.bob, "POST", &path, Some(json!({})));
        assert_eq!(status, 200, "{answer}");
    }
}

#[test]
fn the_signature_is_verified_as_the_documentation_says() {
    let receiver = Receiver::start(|_| Some(200));
    let world = World::start(POLICY, &webhook(&receiver.url, ""));
    exchange(&world.server, &world.database("db-1"), 0);
    let got = receiver.wait(1).remove(0);
    let page = include_str!("../../../docs/notifications.md");
    let (_, block) = page.split_once("```sh verify\n").unwrap();
    let (script, _) = block.split_once("```").unwrap();
    std::fs::write(world.server.dir.join("body"), &got.body).unwrap();
    let verify = |signature: &str| {
        run(std::process::Command::new("sh")
            .args(["-eu", "-c", script])
            .current_dir(&world.server.dir)
            .env("id", got.header("webhook-id"))
            .env("time", got.header("webhook-timestamp"))
            .env("signature", signature))
    };
    let (good, said) = verify(got.header("webhook-signature"));
    assert!(good, "{said}");
    let (good, said) = verify("v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert!(!good, "{said}");
}

#[test]
fn what_fails_is_tried_again_under_the_same_id_and_what_is_refused_is_not() {
    let receiver = Receiver::start(|number| match number {
        0 => Some(500),
        1 => Some(302),
        3 => Some(410),
        _ => Some(200),
    });
    let world = World::start(POLICY, &webhook(&receiver.url, ""));
    let device = world.database("db-1");
    exchange(&world.server, &device, 0);
    let got = receiver.wait(3);
    let ids: Vec<&str> = got.iter().map(|one| one.header("webhook-id")).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2], "{ids:?}");
    assert_eq!(got[0].body, got[2].body);
    world.say("db-1", "approve");
    receiver.wait(4);
    world.say_again_denied();
    receiver.wait(5);
    assert_eq!(
        receiver.types()[3..],
        ["approval.approved", "approval.denied"]
    );
    wait_for("it is counted", || world.counted("delivered") == 2.0);
    assert_eq!(world.counted("retried"), 2.0);
    assert_eq!(world.counted("dropped"), 1.0);
    assert!(world.server.log().contains("a notification is given up"));
    wait_for("the sink is at the end", || {
        world.server.metric("panopol_notifications_lag{sink=\"s\"}") == Some(0.0)
    });
}

#[test]
fn what_happened_while_nobody_listened_is_told_after_a_power_cut() {
    let receiver = Receiver::start(|_| Some(200));
    let sinks = webhook(&receiver.url, "events = [\"approval.*\"]");
    let world = World::start(POLICY, &sinks);
    receiver.down.store(true, Ordering::Relaxed);
    for name in ["db-1", "db-2", "db-3"] {
        let device = world.database(name);
        assert_eq!(exchange(&world.server, &device, 0), 503);
    }
    world.say("db-2", "approve");
    let keep = world.server.kill().unwrap();
    receiver.down.store(false, Ordering::Relaxed);
    assert!(receiver.got().is_empty());
    let file = keep.path().join("notify.toml");
    let flags = [&FLAGS[..], &["--notify", file.to_str().unwrap()]].concat();
    let mut server = Server::launch(keep.path(), &flags);
    server.own(keep);
    let got = receiver.wait(4);
    let told: Vec<_> = got
        .iter()
        .map(|one| (one.json()["device"].clone(), one.json()["type"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            (json!("db-1"), json!("approval.requested")),
            (json!("db-2"), json!("approval.requested")),
            (json!("db-3"), json!("approval.requested")),
            (json!("db-2"), json!("approval.approved")),
        ]
    );
    // What was told stays told over another start.
    expect_kept(&server, got[3].header("webhook-id"));
    let keep = server.kill().unwrap();
    let mut server = Server::launch(keep.path(), &flags);
    server.own(keep);
    exchange(
        &server,
        &server.enroll("db-4", json!({"env": "production", "role": "database"}), 1),
        0,
    );
    let got = receiver.wait(5);
    assert_eq!(got[4].json()["device"], "db-4");
}

#[test]
fn a_receiver_that_is_stuck_holds_up_nobody() {
    let receiver = Receiver::start(|_| None);
    let mut world = World::start(POLICY, &webhook(&receiver.url, ""));
    let device = world.database("db-1");
    exchange(&world.server, &device, 0);
    receiver.wait(1);
    let began = Instant::now();
    world.say("db-1", "approve");
    assert_eq!(exchange(&world.server, &device, 0), 200);
    for number in 0..10 {
        let name = format!("db-1{number}");
        assert_eq!(exchange(&world.server, &world.database(&name), 0), 503);
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(receiver.got().len(), 1, "the first is still under way");
    let began = Instant::now();
    world.server.signal("TERM");
    let ended = world.server.child.wait().unwrap();
    assert!(ended.success(), "{}", world.server.log());
    // Not longer than one attempt may take.
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn slack_and_ntfy_are_told_in_their_own_forms() {
    let (slack, ntfy) = (
        Receiver::start(|_| Some(200)),
        Receiver::start(|_| Some(200)),
    );
    let sinks = format!(
        "[[sink]]\nname = \"chat\"\nform = \"slack\"\nurl = \"{}\"\n\n\
         [[sink]]\nname = \"phone\"\nform = \"ntfy\"\nurl = \"{}\"\nsecret = \"SECRET\"\n\
         events = [\"approval.requested\", \"approval.approved\"]\n",
        slack.url, ntfy.url
    );
    let world = World::start(POLICY, &sinks);
    exchange(&world.server, &world.database("db-1"), 0);
    world.say("db-1", "approve");
    world.say_again_denied();
    let got = slack.wait(3);
    let text = got[1].json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("db-1: approved\n"), "{text}");
    assert!(text.contains("“by &lt;a&gt; test &amp; more”"), "{text}");
    assert!(text.contains("by bob"), "{text}");
    assert_eq!(got[1].json().as_object().unwrap().len(), 1);
    let got = ntfy.wait(2);
    assert_eq!(got[0].header("title"), "db-1: waits for approval");
    assert_eq!(got[0].header("priority"), "high");
    assert_eq!(got[0].header("tags"), "lock");
    assert_eq!(got[0].header("authorization"), format!("Bearer {SECRET}"));
    assert!(
        got[0].body.contains("may decide: bob, carol"),
        "{}",
        got[0].body
    );
    assert!(got[0].body.contains("from 127.0.0.1"), "{}", got[0].body);
    assert_eq!(got[1].header("title"), "db-1: approved");
    wait_for("slack is done", || slack.got().len() == 3);
    assert_eq!(ntfy.got().len(), 2, "a denial was not asked for");
}

#[test]
fn a_command_is_told_and_killed_with_its_children_when_it_hangs() {
    let sinks = "[[sink]]\nname = \"s\"\nform = \"exec\"\n\
                 command = [\"/bin/sh\", \"DIR/hook.sh\", \"DIR\", \"two words; $(no shell)\"]\n";
    let keep = directory(POLICY);
    let script = "cd \"$1\"\n\
        if [ ! -e child ]; then sleep 1000 & echo $! > child; wait; fi\n\
        if [ ! -e failed ]; then touch failed; echo 'cannot reach anybody' >&2; exit 7; fi\n\
        cat > told.new; printf '%s|%s|%s' \"$PANOPOL_EVENT\" \"$2\" \"${HOME-none}\" > env\n\
        mv told.new told\n";
    std::fs::write(keep.path().join("hook.sh"), script).unwrap();
    let file = prepare(keep.path(), sinks);
    let flags = [&FLAGS[..], &["--notify", &file]].concat();
    let mut server = Server::launch(keep.path(), &flags);
    server.own(keep);
    let tags = json!({"env": "production", "role": "database"});
    let device = server.enroll("db-1", tags, 1);
    exchange(&server, &device, 0);
    wait_for("it hangs", || {
        std::fs::read_to_string(server.dir.join("child")).is_ok_and(|text| text.ends_with('\n'))
    });
    let child = std::fs::read_to_string(server.dir.join("child")).unwrap();
    let process = format!("/proc/{}", child.trim());
    assert!(Path::new(&process).exists());
    wait_for("it is told", || server.dir.join("told").exists());
    // A zombie that nobody has collected yet is dead as well.
    wait_for("its child is dead", || {
        let stat = std::fs::read_to_string(format!("{process}/stat"));
        stat.map_or(true, |stat| stat.contains(") Z "))
    });
    let told = std::fs::read_to_string(server.dir.join("told")).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["device"], "db-1");
    let env = std::fs::read_to_string(server.dir.join("env")).unwrap();
    assert_eq!(env, "approval.requested|two words; $(no shell)|none");
    let log = server.log();
    assert!(log.contains("the command was killed after 10s"), "{log}");
    assert!(log.contains("exit status: 7"), "{log}");
    assert!(log.contains("cannot reach anybody"), "{log}");
}

#[test]
fn a_boot_loop_stays_within_its_budget() {
    let receiver = Receiver::start(|_| Some(200));
    let short = POLICY.replace("deny-for  5s", "deny-for  1s");
    let world = World::start(&short, &webhook(&receiver.url, "budget = 3"));
    let (looping, other) = (world.database("db-1"), world.database("db-2"));
    for _ in 0..4 {
        wait_for("it waits again", || {
            exchange(&world.server, &looping, 0) == 503
        });
        world.say("db-1", "deny");
    }
    wait_for("the rest is held back", || {
        world.counted("held-back") == 5.0
    });
    assert_eq!(receiver.got().len(), 3);
    exchange(&world.server, &other, 0);
    let got = receiver.wait(4);
    assert_eq!(got[3].json()["device"], "db-2");
    assert_eq!(got[3].json()["held_back"], 5);
    assert!(got[2].json()["held_back"].is_null());
    // What was told of this hour counts after a restart too.
    expect_kept(&world.server, got[3].header("webhook-id"));
    let keep = world.server.kill().unwrap();
    let file = keep.path().join("notify.toml");
    let flags = [&FLAGS[..], &["--notify", file.to_str().unwrap()]].concat();
    let mut server = Server::launch(keep.path(), &flags);
    server.own(keep);
    wait_for("it waits again", || {
        exchange_again(&server, &looping) == 503
    });
    wait_for("it is held back", || {
        let name = "panopol_notifications_total{sink=\"s\",result=\"held-back\"}";
        server.metric(name) == Some(1.0)
    });
    assert_eq!(receiver.got().len(), 4);
}

/// An exchange with a server that came back under another port.
fn exchange_again(server: &Server, device: &Value) -> u16 {
    let (_, shown) = server.api("GET", "/devices/db-1", None);
    let keys = shown["bindings"][0]["keys"].as_array().unwrap();
    let kid = keys.iter().find(|key| key["role"] == "exchange").unwrap();
    let url = device["bindings"][0]["url"].as_str().unwrap();
    let (_, token) = url.rsplit_once('/').unwrap();
    let target = format!("/u/{token}/rec/{}", kid["thumbprint"].as_str().unwrap());
    let body = crate::tang::request_for(&crate::tang::random_point()).to_string();
    server.ask("POST", &target, "", body.as_bytes()).status
}

#[test]
fn a_file_that_makes_no_sense_is_refused_with_its_line() {
    let good = |lines: &str| format!("[[sink]]\nname = \"s\"\n{lines}\n");
    let hook = "form = \"webhook\"\nurl = \"https://example.com/\"\n";
    let cases = [
        ("nonsense = 1\n".to_owned(), "line 1, column 1"),
        ("# nothing\n".to_owned(), "line 1: no `[[sink]]` is in it"),
        (
            good("form = \"carrier-pigeon\""),
            "unknown variant `carrier-pigeon`",
        ),
        (
            good("form = \"slack\"\ncolour = 1"),
            "unknown field `colour`",
        ),
        (
            good("form = \"slack\""),
            "line 1: sink `s`: `url` is not given",
        ),
        (good(hook), "line 1: sink `s`: `secret` is not given"),
        (
            good(&format!("{hook}secret = \"DIR/none\"")),
            "line 5: sink `s`: `secret`: `DIR/none`: No such file",
        ),
        (
            good(&format!("{hook}secret = \"DIR/open\"")),
            "may be read by others (mode 644)",
        ),
        (
            good(&format!("{hook}secret = \"env:PANOPOL_NO_SUCH\"")),
            "the variable `PANOPOL_NO_SUCH`: environment variable not found",
        ),
        (
            good(&format!("{hook}secret = \"credential:x\"")),
            "systemd gave no credentials directory",
        ),
        (
            good(&format!("{hook}secret = \"DIR/short\"")),
            "the secret has fewer than 16 bytes",
        ),
        (
            good(&format!("{hook}secret = \"DIR/coded\"")),
            "begins with `whsec_`, and no base64 follows",
        ),
        (
            good(&format!(
                "{hook}secret = \"SECRET\"\ncommand = [\"/bin/true\"]"
            )),
            "line 6: sink `s`: a webhook takes no `command`",
        ),
        (
            good("form = \"slack\"\nurl = \"ftp://example.com\""),
            "line 4: sink `s`: `ftp://example.com` is no URL of `https://`",
        ),
        (
            good("form = \"slack\"\nurl = \"https://me:pass@example.com\""),
            "line 4: sink `s`: a URL holds no user and no password",
        ),
        (
            good("form = \"slack\"\nsecret = \"SECRET\""),
            "line 4: sink `s`: `secret`: it holds no `https://` URL",
        ),
        (
            good("form = \"slack\"\nsecret = \"DIR/plain\""),
            "line 4: sink `s`: `secret`: it holds no `https://` URL",
        ),
        (
            good("form = \"ntfy\"\nurl = \"https://n.example/t\"\nsecret = \"DIR/lines\""),
            "line 5: sink `s`: `secret`: an access token is one line",
        ),
        (
            good(&format!("{hook}secret = \"DIR/long\"")),
            "is longer than a secret",
        ),
        (
            good("form = \"exec\""),
            "line 1: sink `s`: `command` is not given",
        ),
        (
            good("form = \"exec\"\ncommand = []"),
            "line 4: sink `s`: `command` is empty",
        ),
        (
            good("form = \"exec\"\ncommand = [\"true\"]"),
            "`true` is no absolute path",
        ),
        (
            good("form = \"exec\"\ncommand = [\"/no/such\"]"),
            "`/no/such`: No such file",
        ),
        (
            good("form = \"exec\"\ncommand = [\"/etc\"]"),
            "`/etc` is no file that can be run",
        ),
        (
            good("form = \"exec\"\ncommand = [\"/bin/true\"]\nevents = [\"approval.asked\"]"),
            "line 5: `approval.asked` is no event",
        ),
        (
            good("form = \"exec\"\ncommand = [\"/bin/true\"]\nevents = [\"policy.reload\"]"),
            "do you mean `policy.reloaded`?",
        ),
        (
            good("form = \"exec\"\ncommand = [\"/bin/true\"]\nevents = []"),
            "line 5: `events` is empty",
        ),
        (
            good("form = \"exec\"\ncommand = [\"/bin/true\"]\nbudget = 0"),
            "line 5: a `budget` of 0",
        ),
        (
            "[[sink]]\nname = \"../x\"\nform = \"slack\"\n".to_owned(),
            "line 2: `../x` is no name of a sink",
        ),
        (
            "[[sink]]\nname = \"s\"\nform = \"slack\"\nurl = \"https://example.com\"\n".repeat(2),
            "line 6: a second sink is named `s`",
        ),
    ];
    let keep = directory(POLICY);
    let dir = keep.path();
    let long = "x".repeat(1025);
    for (name, text) in [
        ("open", "open to all and long enough"),
        ("plain", "http://192.0.2.1/services/x"),
        ("lines", "one\ntwo"),
        ("long", &long),
        ("short", "short"),
        ("coded", "whsec_***"),
    ] {
        std::fs::write(dir.join(name), text).unwrap();
        let mode = if name == "open" { "644" } else { "600" };
        run(std::process::Command::new("chmod")
            .arg(mode)
            .arg(dir.join(name)));
    }
    for (text, expected) in cases {
        let file = prepare(dir, &text);
        let (code, said) = refused(dir, &["--dev", "--notify", &file]);
        assert_eq!(code, Some(2), "{text}\n{said}");
        let expected = expected.replace("DIR", dir.to_str().unwrap());
        assert!(said.contains(&expected), "{text}\n{expected}\n{said}");
        assert!(said.contains("notify.toml"), "{said}");
        assert!(
            !said.contains(SECRET) && !said.contains("me:pass@"),
            "{said}"
        );
    }
    let missing = dir.join("missing.toml");
    let (code, said) = refused(dir, &["--dev", "--notify", missing.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(said.contains("missing.toml`: No such file"), "{said}");
}

#[test]
fn plain_http_to_another_host_is_warned_of() {
    let far = webhook("http://192.0.2.1/x", "");
    let near = webhook("http://[::1]:9/x", "").replace("\"s\"", "\"near\"");
    let world = World::start(POLICY, &format!("{far}{near}"));
    let log = world.server.log();
    assert!(log.contains("sink `s`: `http://` to another host"), "{log}");
    assert!(!log.contains("sink `near`"), "{log}");
}

/// Listens to the server's events until `count` have come.
fn listen(server: &Server, token: &str, more: &str, count: usize) -> Vec<(String, Value)> {
    let mut reader = BufReader::new(open_events(server, token, more));
    let (mut id, mut events, mut line) = (String::new(), Vec::new(), String::new());
    while events.len() < count {
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "the stream ended");
        if let Some(found) = line.strip_prefix("id: ") {
            id = found.trim().to_owned();
        }
        if let Some(data) = line.strip_prefix("data: ") {
            events.push((id.clone(), serde_json::from_str(data).unwrap()));
        }
    }
    events
}

fn open_events(server: &Server, token: &str, more: &str) -> TcpStream {
    let headers = format!("Authorization: Bearer {token}\r\nConnection: close\r\n{more}");
    let mut stream = super::harness::connect(&server.admin);
    stream
        .write_all(&bytes_of("GET", "/api/v1/events", &headers, b""))
        .unwrap();
    stream
}

fn first_line(stream: &TcpStream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// A stream that stands: places of those who left may take a moment to be free.
fn listening(server: &Server, token: &str) -> TcpStream {
    let began = Instant::now();
    loop {
        let stream = open_events(server, token, "");
        match first_line(&stream).as_str() {
            "HTTP/1.1 200 OK" => return stream,
            "HTTP/1.1 503 Service Unavailable" => {}
            other => panic!("{other}"),
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no place");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn events_are_streamed_and_resumed() {
    let mut world = World::start(
        POLICY,
        "[[sink]]\nname = \"s\"\nform = \"exec\"\ncommand = [\"/bin/true\"]\n",
    );
    let device = world.database("db-1");
    let token = world.server.token.clone();
    let told = std::thread::scope(|scope| {
        let listening = scope.spawn(|| listen(&world.server, &token, "", 2));
        // From now on: what is asked before the stream stands is not in it.
        std::thread::sleep(Duration::from_millis(500));
        exchange(&world.server, &device, 0);
        world.say("db-1", "approve");
        listening.join().unwrap()
    });
    assert_eq!(told[0].1["type"], "approval.requested");
    assert_eq!(told[1].1["type"], "approval.approved");
    assert_eq!(told[1].1["approval"]["decided_by"], "bob");
    let resumed = format!("Last-Event-ID: {}\r\n", told[0].0);
    assert_eq!(listen(&world.server, &token, &resumed, 1)[0], told[1]);
    let stream = open_events(&world.server, &token, "Last-Event-ID: soon\r\n");
    assert_eq!(first_line(&stream), "HTTP/1.1 400 Bad Request");
    let dave = mint(&world.server, &token, "dave");
    let stream = open_events(&world.server, &dave, "");
    assert_eq!(first_line(&stream), "HTTP/1.1 403 Forbidden");
    // A stream ends with the rights of who holds it.
    let mut streams: Vec<TcpStream> = (0..64)
        .map(|_| listening(&world.server, &world.bob))
        .collect();
    let refused = open_events(&world.server, &token, "");
    assert_eq!(first_line(&refused), "HTTP/1.1 503 Service Unavailable");
    let without_bob = POLICY.replace(
        "person bob   { role operator in org }",
        "person bob   { email \"bob@example.com\" }",
    );
    let (status, answer) = world.server.policy(&without_bob);
    assert_eq!(status, 200, "{answer}");
    let mut rest = String::new();
    streams[0].read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("policy.reloaded"), "{rest}");
    // And with the server, at once.
    let _open = listening(&world.server, &token);
    let began = Instant::now();
    world.server.signal("TERM");
    assert!(world.server.child.wait().unwrap().success());
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
}
