//! Compiling a policy set, beside what others need for the same.
//!
//! Two sets: 10,000 unlock rules, beside Cedar parsing as many equivalent
//! policies; and a million CIDRs in network files, beside `ipnet` alone
//! parsing the same bytes. A table of ratios and of peak memory comes first
//! (each line measured in a process of its own), criterion's estimates after
//! it. Ratios of one run mean something; bare times of two machines do not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and fails by panicking"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use ipnet::IpNet;
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::ir::PolicySet;
use panopol::source::load::Directory;

const RULES: usize = 10_000;
const PREFIXES: u32 = 1_000_000;
/// The million stands in so many files.
const FILES: u32 = 10;

/// A work to be measured: its name, and what it does in the directory of inputs.
type Work = (&'static str, fn(&Path));

const WORKS: [Work; 6] = [
    ("rules/panopol", rules_panopol),
    ("rules/panopol-check-only", rules_panopol_check),
    ("rules/cedar", rules_cedar),
    ("prefixes/panopol", prefixes_panopol),
    ("prefixes/panopol-check-only", prefixes_panopol_check),
    ("prefixes/ipnet", prefixes_ipnet),
];

/// What a rule says in both languages: env, role, site, network.
fn rule_parts(index: usize) -> (&'static str, &'static str, usize, String) {
    let env = ["production", "staging", "dev"][index % 3];
    let role = ["database", "web", "cache", "edge"][index / 3 % 4];
    let network = format!("10.{}.{}.0/24", index / 256 % 256, index % 256);
    (env, role, index % 500, network)
}

fn panopol_text() -> String {
    let mut text = String::from(
        "edition 2026\n\
         tag env = production | staging | dev required\n\
         tag role = database | web | cache | edge\n\
         tag site = text\n\
         network office = [203.0.113.0/24, 2001:db8:10::/48]\n",
    );
    for index in 0..RULES {
        let (env, role, site, network) = rule_parts(index);
        writeln!(
            text,
            "unlock rule-{index} {{\n  where env == {env} and role == {role} and site == \"s{site}\"\n  \
             allow from [office, {network}]\n}}"
        )
        .unwrap();
    }
    text
}

fn cedar_text() -> String {
    let mut text = String::new();
    for index in 0..RULES {
        let (env, role, site, network) = rule_parts(index);
        writeln!(
            text,
            "@id(\"rule-{index}\")\npermit(principal, action == Action::\"unlock\", resource)\nwhen {{ \
             principal.env == \"{env}\" && principal.role == \"{role}\" && principal.site == \"s{site}\" && \
             (context.source.isInRange(ip(\"203.0.113.0/24\")) || \
             context.source.isInRange(ip(\"2001:db8:10::/48\")) || \
             context.source.isInRange(ip(\"{network}\"))) }};"
        )
        .unwrap();
    }
    text
}

/// The lines of one network file: spread, so that neighbours do not merge; a
/// fifth of them IPv6.
fn network_file(file: u32) -> String {
    let mut lines = String::new();
    for index in 0..PREFIXES / FILES {
        let number = file * (PREFIXES / FILES) + index;
        if index % 5 == 0 {
            let (high, low) = (number >> 16, number & 0xffff);
            writeln!(lines, "2001:db8:{high:x}:{low:x}::/64").unwrap();
        } else {
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + (number << 6));
            writeln!(lines, "{address}/27").unwrap();
        }
    }
    lines
}

/// Writes the inputs: `rules/`, `rules.cedar`, `prefixes/`.
fn write_inputs(directory: &Path) {
    let write = |path: &str, text: String| std::fs::write(directory.join(path), text).unwrap();
    std::fs::create_dir_all(directory.join("rules")).unwrap();
    std::fs::create_dir_all(directory.join("prefixes")).unwrap();
    write("rules/rules.pano", panopol_text());
    write("rules.cedar", cedar_text());
    let mut policy = String::from("edition 2026\n");
    for file in 0..FILES {
        write(&format!("prefixes/part-{file}.txt"), network_file(file));
        writeln!(
            policy,
            "network part-{file} = file \"part-{file}.txt\"\nunlock from-{file} {{ allow from part-{file} }}"
        )
        .unwrap();
    }
    write("prefixes/prefixes.pano", policy);
}

fn check(path: &Path) -> Arc<PolicySet> {
    let checked = check_files(&mut Directory::open(path).unwrap());
    assert_eq!(checked.diagnostics, []);
    checked.set.unwrap()
}

fn rules_panopol(directory: &Path) {
    black_box(Program::compile(check(&directory.join("rules"))));
}

fn rules_panopol_check(directory: &Path) {
    black_box(check(&directory.join("rules")));
}

fn rules_cedar(directory: &Path) {
    let text = std::fs::read_to_string(directory.join("rules.cedar")).unwrap();
    black_box(cedar_policy::PolicySet::from_str(&text).unwrap());
}

fn prefixes_panopol(directory: &Path) {
    black_box(Program::compile(check(&directory.join("prefixes"))));
}

fn prefixes_panopol_check(directory: &Path) {
    black_box(check(&directory.join("prefixes")));
}

fn prefixes_ipnet(directory: &Path) {
    let mut all: Vec<IpNet> = Vec::new();
    for file in 0..FILES {
        let path = directory.join(format!("prefixes/part-{file}.txt"));
        let text = std::fs::read_to_string(path).unwrap();
        all.extend(text.lines().map(|line| line.parse::<IpNet>().unwrap()));
    }
    black_box(all);
}

/// The most memory that this process has held, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse().unwrap()
}

/// What a child process prints: the fastest of five in microseconds, and how
/// many KiB the first added to the peak.
fn measure_here(work: fn(&Path), directory: &Path) {
    let before = peak_kib();
    let mut best = Duration::MAX;
    let mut peak = None;
    for _ in 0..5 {
        let start = Instant::now();
        work(directory);
        best = best.min(start.elapsed());
        peak.get_or_insert_with(|| peak_kib() - before);
    }
    println!("{} {}", best.as_micros(), peak.unwrap());
}

/// Measures `name` in a process of its own: milliseconds, and MiB.
fn measure(name: &str, directory: &Path) -> (f64, f64) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--measure", name])
        .arg(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (micros, kib) = text.trim().split_once(' ').unwrap();
    let number = |text: &str| text.parse::<f64>().unwrap();
    (number(micros) / 1000.0, number(kib) / 1024.0)
}

fn print_table(directory: &Path) {
    let row = |(name, _): &Work| (*name, measure(name, directory));
    let rows: Vec<_> = WORKS.iter().map(row).collect();
    println!("{:<30} {:>10} {:>10}", "", "ms", "peak MiB");
    for (name, (millis, mib)) in &rows {
        println!("{name:<30} {millis:>10.1} {mib:>10.1}");
    }
    let of = |wanted: &str| rows.iter().find(|(name, _)| *name == wanted).unwrap().1;
    println!(
        "\n{RULES} rules: cedar takes {:.1} times as long as panopol",
        of("rules/cedar").0 / of("rules/panopol").0
    );
    println!(
        "{PREFIXES} prefixes: panopol takes {:.1} times as long as ipnet alone, and {:.0} bytes a prefix at its peak\n",
        of("prefixes/panopol").0 / of("prefixes/ipnet").0,
        of("prefixes/panopol").1 * 1024.0 * 1024.0 / f64::from(PREFIXES)
    );
}

fn compile(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    write_inputs(directory.path());
    print_table(directory.path());
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(10);
    for (name, work) in WORKS {
        group.bench_function(name, |bencher| bencher.iter(|| work(directory.path())));
    }
    group.finish();
}

criterion_group!(benches, compile);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, name, directory] = arguments.as_slice()
        && flag == "--measure"
    {
        let (_, work) = WORKS.iter().find(|(known, _)| known == name).unwrap();
        return measure_here(*work, Path::new(directory));
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
