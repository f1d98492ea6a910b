//! The form that runs a command: whatever no other form reaches.
//!
//! No shell reads anything. The command gets the message on its standard
//! input, a nearly empty environment, ten seconds, and a process group of its
//! own; what is left of that group when it ends, or when its time is over, is
//! killed.

use std::io::{PipeReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::http::Failed;
use super::message::Message;

/// How often a running command is looked at, and how many times.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: u32 = 500;
/// Bytes of a command's output that are kept, for the log.
const LONGEST_OUTPUT: u64 = 2048;
/// Where a command finds other commands.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How long what it printed may take to be collected once it is over.
const COLLECT: Duration = Duration::from_secs(1);

/// Runs the command on one message; an exit of 0 is a delivery.
pub(super) fn send(command: &[String], message: &Message) -> Result<(), Failed> {
    let (child, printed) =
        start(command, message).map_err(|error| Failed::for_now(error.to_string()))?;
    let ended = wait(child).map_err(|error| Failed::for_now(error.to_string()))?;
    let cause = match ended {
        Some(status) if status.success() => return Ok(()),
        Some(status) => format!("the command ended with {status}"),
        None => format!("the command was killed after {:?}", LOOK * LOOKS),
    };
    let printed = printed.recv_timeout(COLLECT).unwrap_or_default();
    match printed.trim().is_empty() {
        true => Err(Failed::for_now(cause)),
        false => Err(Failed::for_now(format!("{cause}: {:?}", printed.trim()))),
    }
}

fn start(
    command: &[String],
    message: &Message,
) -> std::io::Result<(Child, mpsc::Receiver<String>)> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| std::io::Error::other("no command is given"))?;
    let (output, printing) = std::io::pipe()?;
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("PANOPOL_EVENT", message.topic.word())
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(printing.try_clone()?)
        .stderr(printing)
        .spawn()?;
    let stdin = child.stdin.take();
    let mut line = message.json();
    line.push('\n');
    // Both end at the latest when the group is killed: then no other end is open.
    std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // A command need not read what it is given.
            let _ = stdin.write_all(line.as_bytes());
        }
    });
    let (told, printed) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let _ = told.send(collect(output));
    });
    Ok((child, printed))
}

/// What was printed, at most so much of it; the rest is read and let go.
fn collect(mut output: PipeReader) -> String {
    let mut kept = Vec::new();
    let _ = output.by_ref().take(LONGEST_OUTPUT).read_to_end(&mut kept);
    let _ = std::io::copy(&mut output, &mut std::io::sink());
    String::from_utf8_lossy(&kept).into_owned()
}

/// How it ended; none where it had to be killed.
fn wait(mut child: Child) -> std::io::Result<Option<ExitStatus>> {
    let pid = Pid::from_child(&child);
    // Looked at without being taken away: until then the group's number is its own.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let mut over = false;
    for _ in 0..LOOKS {
        over = waitid(WaitId::Pid(pid), options)?.is_some();
        if over {
            break;
        }
        std::thread::sleep(LOOK);
    }
    // Nobody else may be left in it, which is an error and as it should be.
    let _ = kill_process_group(pid, Signal::KILL);
    let status = child.wait()?;
    Ok(over.then_some(status))
}
