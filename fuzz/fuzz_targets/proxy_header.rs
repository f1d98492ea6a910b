//! Any bytes as a PROXY header, in pieces of any size: the address is the one
//! that stands there, no byte after the header is taken, and what the
//! specification calls valid is accepted. The first byte says how it is cut.
#![no_main]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use panopol::address::fold;
use panopol::server::proxy::{ProxyError, parse_header, read_header};
use tokio::io::{AsyncRead, ReadBuf};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_LIMIT: usize = 16 + 2048;
const V1_LIMIT: usize = 107;

/// A connection that gives its bytes in pieces, and none at every other poll.
struct Pieces<'a> {
    rest: &'a [u8],
    piece: usize,
    ready: bool,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.ready = !self.ready;
        if !self.ready {
            return Poll::Pending;
        }
        let length = self.piece.min(self.rest.len()).min(buffer.remaining());
        let (given, rest) = self.rest.split_at(length);
        buffer.put_slice(given);
        self.rest = rest;
        Poll::Ready(Ok(()))
    }
}

fn read(bytes: &[u8], piece: usize) -> (Result<Option<IpAddr>, ProxyError>, usize) {
    let mut pieces = Pieces {
        rest: bytes,
        piece,
        ready: false,
    };
    let mut context = Context::from_waker(Waker::noop());
    let result = {
        let mut reading = pin!(read_header(&mut pieces));
        loop {
            if let Poll::Ready(result) = reading.as_mut().poll(&mut context) {
                break result;
            }
        }
    };
    (result, bytes.len() - pieces.rest.len())
}

fn array<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk().copied()
}

/// Version 1, read a second time and simply.
fn v1(header: &[u8]) -> Option<IpAddr> {
    let line = std::str::from_utf8(header).ok()?.strip_suffix("\r\n")?;
    let [
        "PROXY",
        protocol,
        source,
        destination,
        source_port,
        destination_port,
    ] = line.split(' ').collect::<Vec<_>>()[..]
    else {
        return None;
    };
    // Nobody here reads the ports, so a sign before one does no harm.
    let port = |text: &str| {
        let shortest = text == "0" || !text.starts_with('0');
        (shortest && text.parse::<u16>().is_ok()).then_some(())
    };
    port(source_port)?;
    port(destination_port)?;
    match protocol {
        "TCP4" => {
            destination.parse::<Ipv4Addr>().ok()?;
            source.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
        }
        "TCP6" => {
            destination.parse::<Ipv6Addr>().ok()?;
            source.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        _ => None,
    }
}

/// Version 2: the address, or that the proxy speaks for itself.
fn v2(header: &[u8]) -> Option<Option<IpAddr>> {
    let [command, family, _, _] = array(header.get(12..)?)?;
    let body = header.get(16..)?;
    match (command, family) {
        // Section 2.2: whatever family and addresses stand there.
        (0x20, _) => Some(None),
        (0x21, 0x10..=0x12) if body.len() >= 12 => {
            array::<4>(body).map(|bytes| Some(IpAddr::from(bytes)))
        }
        (0x21, 0x20..=0x22) if body.len() >= 36 => {
            array::<16>(body).map(|bytes| Some(IpAddr::from(bytes)))
        }
        _ => None,
    }
}

/// How many bytes the header at the start takes; none where it does not end there.
fn length(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(SIGNATURE) {
        let length: [u8; 2] = array(bytes.get(14..)?)?;
        return Some(16 + usize::from(u16::from_be_bytes(length)));
    }
    let line = bytes.iter().position(|&byte| byte == b'\n')?;
    Some(line + 1)
}

fuzz_target!(|input: &[u8]| {
    let Some((&cut, bytes)) = input.split_first() else {
        return;
    };
    let (result, taken) = read(bytes, usize::from(cut) + 1);
    let (whole, taken_whole) = read(bytes, usize::MAX);
    assert_eq!(
        format!("{result:?}"),
        format!("{whole:?}"),
        "it matters how the bytes arrive"
    );
    assert!(taken <= V2_LIMIT);
    let _ = parse_header(bytes);

    let header = length(bytes).and_then(|length| bytes.get(..length));
    let expected = match header {
        Some(header) if header.starts_with(SIGNATURE) && header.len() <= V2_LIMIT => v2(header),
        Some(header) if header.len() <= V1_LIMIT => v1(header).map(Some),
        _ => None,
    };
    match (&result, expected) {
        (Ok(found), Some(expected)) => {
            assert_eq!(*found, expected.map(fold));
            assert_eq!(
                header.map(<[u8]>::len),
                Some(taken),
                "more or less than the header"
            );
            assert_eq!(taken, taken_whole);
        }
        (Err(_), None) => {}
        (Ok(found), None) => panic!("{found:?} from no valid header"),
        (Err(error), Some(expected)) => panic!("{error} from a header of {expected:?}"),
    }
});
