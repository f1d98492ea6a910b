//! The PROXY header: what the specification calls valid, and not a byte more.

use std::net::IpAddr;

use panopol::server::proxy::{ProxyError, parse_header, read_header};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16).to_be_bytes();
    [SIGNATURE, &[command, family], &length, body].concat()
}

/// What is read, and what is left for the next reader.
fn read(bytes: &[u8]) -> (Result<Option<IpAddr>, ProxyError>, &[u8]) {
    let mut rest = bytes;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let result = runtime.block_on(read_header(&mut rest));
    (result, rest)
}

#[test]
fn the_header_is_taken_and_nothing_after_it() {
    let tcp4 = [192, 0, 2, 1, 198, 51, 100, 1, 0, 80, 1, 187];
    let expected = Some(IpAddr::from([192, 0, 2, 1]));
    let longer = [&tcp4[..], b"\x04\0\x03abc"].concat();
    for header in [
        b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 80\r\n".to_vec(),
        b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n".to_vec(),
        v2(0x21, 0x11, &tcp4),
        v2(0x21, 0x11, &longer),
    ] {
        let bytes = [&header, b"GET /adv".as_slice()].concat();
        let (result, rest) = read(&bytes);
        assert_eq!(result.unwrap(), expected, "{header:?}");
        assert_eq!(rest, b"GET /adv");
    }
}

/// Found by the fuzz target `proxy_header`. Section 2.2: a receiver must accept
/// such a connection, and discard the family and what follows it.
#[test]
fn a_proxy_that_speaks_for_itself_may_name_any_family() {
    for (family, body) in [
        (0x00, b"".as_slice()),
        (0x11, b"".as_slice()),
        (0x11, &[0; 12]),
        (0xff, b"abc"),
    ] {
        let header = v2(0x20, family, body);
        assert_eq!(parse_header(&header).unwrap(), None, "{header:?}");
        let bytes = [&header, b"GET".as_slice()].concat();
        let (result, rest) = read(&bytes);
        assert_eq!((result.unwrap(), rest), (None, b"GET".as_slice()));
    }
}

/// Found by the fuzz target `proxy_header`: a space stood for the return.
#[test]
fn a_line_ends_with_return_and_newline() {
    for end in [" \n", "\n", "\r", "\r \n", "", "\r\r\n"] {
        let line = format!("PROXY TCP4 192.0.2.1 198.51.100.1 1 2{end}");
        let refused = parse_header(line.as_bytes());
        assert!(matches!(refused, Err(ProxyError::Malformed)), "{end:?}");
        assert!(read(line.as_bytes()).0.is_err(), "{end:?}");
    }
}
