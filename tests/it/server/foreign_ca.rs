//! Somebody else's CA behind a webhook: it holds the signature and the permit
//! against what is public, makes one certificate for each job, and can be told
//! to misbehave.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder, X509Req};
use serde_json::{Value, json};

use super::harness::http;

pub(super) const SECRET: &str = "correct horse battery staple";

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// As it should.
    Good,
    /// Makes the certificate, and ends the connection before it is told.
    LosesAnswer,
    /// 503.
    Down,
    /// 202, until the mood changes.
    Busy,
    /// 422 with a sentence.
    Refuses,
    /// One more name.
    MoreNames,
    /// One name less.
    LessNames,
    /// Its own key in place of the CSR's.
    OtherKey,
    /// A day longer than it was asked for.
    LongLife,
    /// A CA's certificate.
    MakesCa,
    /// Signed by nobody that is known.
    Stranger,
    /// For anything.
    AnyPurpose,
    /// An organisation in the subject.
    MoreSubject,
    /// The certificate of the first job.
    Repeats,
    /// No certificate.
    Nonsense,
}

/// What it was asked, and what it holds of the asking.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) head: String,
    pub(super) body: Value,
    pub(super) text: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        found.next().map_or("", |(_, value)| value)
    }
}

pub(super) struct ForeignCa {
    pub(super) url: String,
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
    /// What it made, by idempotency key, in the order of making.
    pub(super) made: Arc<Mutex<Vec<(String, String)>>>,
    mood: Arc<Mutex<Mood>>,
    /// The keys of permits, a JWK set.
    keys: Arc<Mutex<String>>,
}

struct Keys {
    key: PKey<Private>,
    certificate: X509,
    stranger: PKey<Private>,
}

impl ForeignCa {
    /// Starts it; `ca.pem` and `secret` come to stand in `dir`.
    pub(super) fn start(dir: &Path) -> ForeignCa {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let certificate = root(&key);
        std::fs::write(dir.join("corp-ca.pem"), certificate.to_pem().unwrap()).unwrap();
        private_file(&dir.join("corp.secret"), SECRET);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ca = ForeignCa {
            url: format!("http://{}/sign", listener.local_addr().unwrap()),
            asked: Arc::default(),
            made: Arc::default(),
            mood: Arc::new(Mutex::new(Mood::Good)),
            keys: Arc::default(),
        };
        let keys = Keys {
            stranger: PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
            key,
            certificate,
        };
        let (asked, made) = (Arc::clone(&ca.asked), Arc::clone(&ca.made));
        let (mood, trusted) = (Arc::clone(&ca.mood), Arc::clone(&ca.keys));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mood, trusted) = (*mood.lock().unwrap(), trusted.lock().unwrap().clone());
                serve(&stream.unwrap(), &keys, mood, &trusted, &asked, &made);
            }
        });
        ca
    }

    pub(super) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Trusts the permits of the server whose admin plane is there.
    pub(super) fn know(&self, admin: &str) {
        let (_, keys) = http("GET", &format!("{admin}/api/v1/permit-keys"), &[], None);
        *self.keys.lock().unwrap() = keys;
    }

    /// The file of issuers that names it.
    pub(super) fn issuers(&self, dir: &Path) -> PathBuf {
        let file = dir.join("issuers.toml");
        let dir = dir.display();
        let text = format!(
            "[[webhook]]\nid = \"corp\"\nurl = \"{}\"\nsecret = \"{dir}/corp.secret\"\nca = \"{dir}/corp-ca.pem\"\ntimeout_s = 5\n",
            self.url
        );
        std::fs::write(&file, text).unwrap();
        file
    }

    pub(super) fn made(&self) -> Vec<(String, String)> {
        self.made.lock().unwrap().clone()
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Writes a file that is its owner's alone.
pub(super) fn private_file(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn root(key: &PKey<Private>) -> X509 {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "Corp CA").unwrap();
    let name = name.build();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(key).unwrap();
    number(&mut builder);
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(3650).unwrap())
        .unwrap();
    let ca = BasicConstraints::new().critical().ca().build().unwrap();
    builder.append_extension(ca).unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    builder.build()
}

fn number(builder: &mut X509Builder) {
    let mut serial = BigNum::new().unwrap();
    serial.rand(120, MsbOption::MAYBE_ZERO, false).unwrap();
    builder
        .set_serial_number(&serial.to_asn1_integer().unwrap())
        .unwrap();
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return None;
        }
    }
    let mut asked = Asked {
        head,
        body: Value::Null,
        text: String::new(),
    };
    let mut body = vec![0; asked.header("content-length").parse().unwrap()];
    // Whoever asks may be killed in the middle.
    reader.read_exact(&mut body).ok()?;
    asked.text = String::from_utf8(body).unwrap();
    asked.body = serde_json::from_str(&asked.text).unwrap();
    Some(asked)
}

fn serve(
    stream: &TcpStream,
    keys: &Keys,
    mood: Mood,
    trusted: &str,
    asked: &Mutex<Vec<Asked>>,
    made: &Mutex<Vec<(String, String)>>,
) {
    let Some(one) = read(stream) else { return };
    asked.lock().unwrap().push(one.clone());
    let answer = |status: u16, body: &str| {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        let _ = (&*stream).write_all(text.as_bytes());
    };
    match mood {
        Mood::Down => return answer(503, ""),
        Mood::Busy => return answer(202, ""),
        Mood::Refuses => return answer(422, "the name is taken"),
        Mood::Nonsense => return answer(200, "{\"certificate\": \"none\"}"),
        _ => {}
    }
    if let Err(fault) = entitled(&one, trusted) {
        return answer(403, &fault);
    }
    if one.body["action"] != "issue" && one.body["action"] != "renew" {
        return answer(200, "{}");
    }
    let id = one.header("idempotency-key").to_owned();
    let known: BTreeMap<_, _> = made.lock().unwrap().iter().cloned().collect();
    let pem = match known.get(&id) {
        Some(pem) => pem.clone(),
        None if mood == Mood::Repeats => made.lock().unwrap().first().unwrap().1.clone(),
        None => {
            let pem = sign(&one.body, keys, mood);
            made.lock().unwrap().push((id, pem.clone()));
            pem
        }
    };
    if mood != Mood::LosesAnswer {
        answer(200, &json!({ "certificate": pem }).to_string());
    }
}

/// What a CA must hold before it does anything: who asks, and that it may.
fn entitled(one: &Asked, trusted: &str) -> Result<(), String> {
    let (id, time) = (one.header("webhook-id"), one.header("webhook-timestamp"));
    let key = panopol::keyring::SecretBytes::new(SECRET.as_bytes().to_vec());
    let expected = panopol::notify::signature(&key, id, time.parse().unwrap(), &one.text).unwrap();
    if one.header("webhook-signature") != expected {
        return Err("the signature is wrong".to_owned());
    }
    let keys: Value = serde_json::from_str(trusted).unwrap();
    let jwk = josekit::jwk::Jwk::from_bytes(keys["keys"][0].to_string()).unwrap();
    let verifier = josekit::jws::ES256.verifier_from_jwk(&jwk).unwrap();
    let permit = one.body["permit"].as_str().unwrap();
    let (permit, _) = josekit::jws::deserialize_compact(permit, &verifier)
        .map_err(|error| format!("the permit: {error}"))?;
    let permit: Value = serde_json::from_slice(&permit).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap().as_secs()).unwrap();
    for (holds, what) in [
        (permit["jti"] == id, "job"),
        (permit["aud"] == "corp", "audience"),
        (permit["action"] == one.body["action"], "action"),
        (permit["csr_sha256"] == one.body["csr_sha256"], "CSR"),
        (permit["exp"].as_i64().unwrap() > now, "end"),
        (permit["exp"].as_i64().unwrap() <= now + 301, "length"),
    ] {
        if !holds {
            return Err(format!("the permit's {what} is wrong: {permit}"));
        }
    }
    match one.body["csr"].as_str() {
        None => Ok(()),
        Some(csr) => {
            let csr = X509Req::from_pem(csr.as_bytes()).unwrap().to_der().unwrap();
            let digest = openssl::sha::sha256(&csr);
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            match permit["csr_sha256"] == digest {
                true => Ok(()),
                false => Err("the permit is for another CSR".to_owned()),
            }
        }
    }
}

fn time(body: &Value, member: &str, more: i64) -> Asn1Time {
    let time: jiff::Timestamp = body[member].as_str().unwrap().parse().unwrap();
    Asn1Time::from_unix(time.as_second() + more).unwrap()
}

fn sign(body: &Value, keys: &Keys, mood: Mood) -> String {
    let csr = X509Req::from_pem(body["csr"].as_str().unwrap().as_bytes()).unwrap();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    number(&mut builder);
    let mut name = X509NameBuilder::new().unwrap();
    if let Some(common) = body["common_name"].as_str() {
        name.append_entry_by_text("CN", common).unwrap();
    }
    if mood == Mood::MoreSubject {
        name.append_entry_by_text("O", "Somebody Else Ltd").unwrap();
    }
    builder.set_subject_name(&name.build()).unwrap();
    builder
        .set_issuer_name(keys.certificate.subject_name())
        .unwrap();
    let own = csr.public_key().unwrap();
    match mood {
        Mood::OtherKey => builder.set_pubkey(&keys.stranger).unwrap(),
        _ => builder.set_pubkey(&own).unwrap(),
    }
    let more = match mood {
        Mood::LongLife => 86_400,
        _ => 0,
    };
    builder
        .set_not_before(&time(body, "not_before", -60))
        .unwrap();
    builder
        .set_not_after(&time(body, "not_after", more))
        .unwrap();
    extend(&mut builder, body, mood);
    let key = match mood {
        Mood::Stranger => &keys.stranger,
        _ => &keys.key,
    };
    builder.sign(key, MessageDigest::sha256()).unwrap();
    let pem = builder.build().to_pem().unwrap();
    String::from_utf8(pem).unwrap()
}

fn extend(builder: &mut X509Builder, body: &Value, mood: Mood) {
    let mut names = SubjectAlternativeName::new();
    let asked = body["san"].as_array().unwrap();
    let less = usize::from(mood == Mood::LessNames);
    for name in asked.iter().take(asked.len() - less) {
        let (kind, text) = name.as_str().unwrap().split_once(':').unwrap();
        assert_eq!(kind, "dns");
        names.dns(text);
    }
    if mood == Mood::MoreNames {
        names.dns("admin.example.com");
    }
    if mood != Mood::LessNames {
        let names = names.build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(names).unwrap();
    }
    let mut purposes = ExtendedKeyUsage::new();
    purposes.server_auth().client_auth();
    if mood == Mood::AnyPurpose {
        purposes.other("2.5.29.37.0");
    }
    builder.append_extension(purposes.build().unwrap()).unwrap();
    if mood == Mood::MakesCa {
        let ca = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(ca).unwrap();
    }
}
