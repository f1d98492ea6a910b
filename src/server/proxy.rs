//! The PROXY protocol header from a listed proxy, versions 1 and 2.
//!
//! Source: "The PROXY protocol", versions 1 and 2, HAProxy. The header is
//! demanded of a listed proxy and looked for from nobody else, so a client
//! cannot claim an address.

use std::net::IpAddr;

use ppp::{HeaderResult, PartialResult, v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::address;

/// The longest version 1 line, with its end.
const V1_LIMIT: usize = 107;
/// The longest version 2 header taken; the rest would be extensions nobody reads here.
const V2_LIMIT: usize = 16 + 2048;
/// What a version 2 header starts with.
const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Version 2, command `LOCAL`.
const V2_LOCAL: u8 = 0x20;

/// Why a connection from a listed proxy has no usable header.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The connection ended or failed first.
    #[error("the connection ended within the PROXY header: {0}")]
    Read(#[from] std::io::Error),
    /// Not a header of either version.
    #[error("a listed proxy sent no valid PROXY header")]
    Malformed,
    /// A header that names no IP address.
    #[error("the PROXY header names no IP address")]
    NoAddress,
}

/// Reads exactly the header from `stream`; what follows is left unread. None
/// means the proxy speaks for itself (`LOCAL`: a health check).
///
/// # Errors
/// Each of [`ProxyError`]; the connection is then of no use.
pub async fn read_header(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<IpAddr>, ProxyError> {
    let mut header = vec![0; V2_SIGNATURE.len()];
    stream.read_exact(&mut header).await?;
    if header == V2_SIGNATURE {
        let mut rest = [0; 4];
        stream.read_exact(&mut rest).await?;
        header.extend(rest);
        let [_, _, high, low] = rest;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if header.len() + length > V2_LIMIT {
            return Err(ProxyError::Malformed);
        }
        let start = header.len();
        header.resize(start + length, 0);
        if let Some(body) = header.get_mut(start..) {
            stream.read_exact(body).await?;
        }
    } else {
        while header.last() != Some(&b'\n') {
            if header.len() >= V1_LIMIT || !header.starts_with(b"PROXY ") {
                return Err(ProxyError::Malformed);
            }
            header.push(stream.read_u8().await?);
        }
    }
    parse_header(&header)
}

/// Parses one whole header.
///
/// # Errors
/// `Malformed` and `NoAddress`.
pub fn parse_header(bytes: &[u8]) -> Result<Option<IpAddr>, ProxyError> {
    if speaks_for_itself(bytes) {
        return Ok(None);
    }
    let result = HeaderResult::parse(bytes);
    if result.is_incomplete() {
        return Err(ProxyError::Malformed);
    }
    let source = match result {
        // ppp takes a space in the place of the return.
        HeaderResult::V1(Ok(header)) if !header.header.ends_with(v1::PROTOCOL_SUFFIX) => {
            return Err(ProxyError::Malformed);
        }
        HeaderResult::V1(Ok(header)) => match header.addresses {
            v1::Addresses::Tcp4(addresses) => IpAddr::V4(addresses.source_address),
            v1::Addresses::Tcp6(addresses) => IpAddr::V6(addresses.source_address),
            v1::Addresses::Unknown => return Err(ProxyError::NoAddress),
        },
        HeaderResult::V2(Ok(header)) => match (header.command, header.addresses) {
            (v2::Command::Local, _) => return Ok(None),
            (v2::Command::Proxy, v2::Addresses::IPv4(addresses)) => {
                IpAddr::V4(addresses.source_address)
            }
            (v2::Command::Proxy, v2::Addresses::IPv6(addresses)) => {
                IpAddr::V6(addresses.source_address)
            }
            (v2::Command::Proxy, v2::Addresses::Unspecified | v2::Addresses::Unix(_)) => {
                return Err(ProxyError::NoAddress);
            }
        },
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => return Err(ProxyError::Malformed),
    };
    Ok(Some(address::fold(source)))
}

/// Whether a version 2 header says `LOCAL`; then its family and what follows it
/// mean nothing, be they ever so odd, which ppp would refuse. Section 2.2.
fn speaks_for_itself(bytes: &[u8]) -> bool {
    bytes
        .strip_prefix(V2_SIGNATURE)
        .is_some_and(|rest| rest.first() == Some(&V2_LOCAL))
}
