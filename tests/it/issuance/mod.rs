//! CSRs and the local CA, held against what OpenSSL's command makes and sees.

mod ca;
mod cli;
mod csr;
mod foreign;
mod foreign_certificate;
mod mutated;

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A directory in which OpenSSL's command runs.
pub(crate) struct Openssl {
    directory: TempDir,
}

impl Openssl {
    pub(crate) fn new() -> Self {
        Openssl {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    /// What it writes to standard output; it must succeed.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = Command::new("openssl")
            .current_dir(self.path())
            .args(args)
            .output()
            .expect("openssl is installed");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "openssl {args:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A key in `key.pem`, made with `genpkey`.
    pub(crate) fn key(&self, args: &[&str]) -> &Self {
        self.run(&[&["genpkey", "-out", "key.pem"], args].concat());
        self
    }

    /// A P-256 key.
    pub(crate) fn p256(&self) -> &Self {
        self.key(&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
    }

    /// A CSR by `key.pem` as DER: `extensions` and `more` are lines of sections
    /// of a configuration, `args` more arguments.
    pub(crate) fn csr(&self, subject: &str, extensions: &str, args: &[&str]) -> Vec<u8> {
        self.configured(subject, extensions, "", args)
    }

    pub(crate) fn configured(
        &self,
        subject: &str,
        extensions: &str,
        more: &str,
        args: &[&str],
    ) -> Vec<u8> {
        let asks = match extensions.is_empty() {
            true => "",
            false => "req_extensions = ext\n",
        };
        let attributes = match more.contains("[attrs]") {
            true => "attributes = attrs\n",
            false => "",
        };
        self.write(
            "req.cnf",
            format!(
                "[req]\nprompt = no\nutf8 = yes\ndistinguished_name = dn\n{asks}{attributes}\
                 [dn]\n{subject}\n[ext]\n{extensions}\n{more}\n"
            ),
        );
        let all = [
            &[
                "req", "-new", "-config", "req.cnf", "-key", "key.pem", "-outform", "DER", "-out",
                "csr.der",
            ],
            args,
        ];
        self.run(&all.concat());
        self.read("csr.der")
    }
}
