//! What a CSR by OpenSSL's command is read as.

use panopol::issuance::csr::{Csr, CsrError, MAX_BYTES};
use panopol::request::IssuanceRequest;
use panopol::vocabulary::KeyType;

use super::Openssl;
use super::mutated::wrap;

const NAMES: &str = "subjectAltName = DNS:api.example.com";

fn read(der: &[u8]) -> Csr {
    Csr::read(der).unwrap()
}

/// What a CSR with these extensions is refused for.
fn unsupported(extensions: &str) -> Vec<String> {
    let openssl = Openssl::new();
    let der = openssl.p256().csr("CN = a.example.com", extensions, &[]);
    read(&der).unsupported().to_vec()
}

#[test]
fn a_plain_csr_says_its_names_and_is_judged_wholly() {
    let openssl = Openssl::new();
    let der = openssl.p256().csr(
        "O = Example\nCN = api.example.com",
        "subjectAltName = DNS:api.example.com, DNS:*.example.com, IP:192.0.2.7, IP:2001:db8::1, \
         email:ops@example.com, URI:spiffe://prod/api\n\
         basicConstraints = CA:FALSE\n\
         keyUsage = critical, digitalSignature, keyEncipherment\n\
         extendedKeyUsage = serverAuth, clientAuth\n\
         subjectKeyIdentifier = hash",
        &[],
    );
    let csr = read(&der);
    assert_eq!(csr.unsupported(), [] as [&str; 0]);
    assert_eq!(
        csr.san(),
        [
            "dns:api.example.com",
            "dns:*.example.com",
            "ip:192.0.2.7",
            "ip:2001:db8::1",
            "email:ops@example.com",
            "uri:spiffe://prod/api",
        ]
    );
    assert_eq!(csr.common_name(), Some("api.example.com"));
    assert_eq!(csr.key_type(), "ECDSA-P256");
    assert_eq!(csr.subject(), "CN=api.example.com,O=Example");
    assert_eq!(csr.key_usage(), ["digitalSignature", "keyEncipherment"]);
    assert_eq!(csr.extended_key_usage(), ["serverAuth", "clientAuth"]);
    assert_eq!(csr.digest(), openssl::sha::sha256(&der));
    openssl.run(&[
        "pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "pub.der",
    ]);
    assert_eq!(csr.public_key_der(), openssl.read("pub.der"));
}

#[test]
fn pem_and_der_are_the_same_csr_under_either_label() {
    let openssl = Openssl::new();
    let der = openssl.p256().csr("CN = a.example.com", NAMES, &[]);
    let new = ["-outform", "PEM", "-out", "csr.pem"];
    openssl.csr("CN = a.example.com", NAMES, &new);
    let pem = String::from_utf8(openssl.read("csr.pem")).unwrap();
    let old = pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST");
    let crlf = format!("\r\n{}\r\n", pem.replace('\n', "\r\n"));
    let csr = read(pem.as_bytes());
    assert_eq!(read(csr.der()), csr);
    assert_eq!(read(old.as_bytes()), csr);
    assert_eq!(read(crlf.as_bytes()), csr);
    assert_eq!(read(&der).san(), csr.san());
}

#[test]
fn each_closed_key_type_is_recognised_and_others_never_pass() {
    let ec = |curve: &'static str| vec!["-algorithm", "EC", "-pkeyopt", curve];
    let rsa = |bits: &'static str| vec!["-algorithm", "RSA", "-pkeyopt", bits];
    let keys = [
        (rsa("rsa_keygen_bits:2048"), "RSA-2048"),
        (rsa("rsa_keygen_bits:3072"), "RSA-3072"),
        (rsa("rsa_keygen_bits:4096"), "RSA-4096"),
        (ec("ec_paramgen_curve:P-256"), "ECDSA-P256"),
        (ec("ec_paramgen_curve:P-384"), "ECDSA-P384"),
        (ec("ec_paramgen_curve:P-521"), "ECDSA-P521"),
        (vec!["-algorithm", "ED25519"], "Ed25519"),
        (rsa("rsa_keygen_bits:1024"), "RSA-1024"),
        (rsa("rsa_keygen_bits:2056"), "RSA-2056"),
        (ec("ec_paramgen_curve:secp256k1"), "ECDSA-secp256k1"),
    ];
    let openssl = Openssl::new();
    for (index, (args, word)) in keys.iter().enumerate() {
        let csr = read(&openssl.key(args).csr("CN = a.example.com", NAMES, &[]));
        assert_eq!(csr.key_type(), *word);
        assert_eq!(csr.unsupported(), [] as [&str; 0], "{word}");
        assert_eq!(KeyType::from_word(word).is_some(), index < 7, "{word}");
    }
    let ed448 = openssl.key(&["-algorithm", "ED448"]);
    let error = Csr::read(&ed448.csr("CN = a.example.com", NAMES, &[])).unwrap_err();
    assert!(
        matches!(error, CsrError::SignatureAlgorithm { .. }),
        "{error}"
    );
}

#[test]
fn odd_keys_are_unsupported() {
    let openssl = Openssl::new();
    let curve = "ec_paramgen_curve:P-256";
    let explicit = [
        "-algorithm",
        "EC",
        "-pkeyopt",
        curve,
        "-pkeyopt",
        "ec_param_enc:explicit",
    ];
    let csr = read(&openssl.key(&explicit).csr("CN = a", NAMES, &[]));
    assert_eq!(csr.unsupported(), ["explicit curve parameters"]);
    assert_eq!(KeyType::from_word(csr.key_type()), None);

    openssl.p256();
    openssl.run(&[
        "pkey",
        "-in",
        "key.pem",
        "-ec_conv_form",
        "compressed",
        "-out",
        "compressed.pem",
    ]);
    openssl.write("key.pem", openssl.read("compressed.pem"));
    let csr = read(&openssl.csr("CN = a", NAMES, &[]));
    assert_eq!(
        csr.unsupported(),
        ["a public key whose point is compressed"]
    );

    let three = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_pubexp:3"];
    let csr = read(&openssl.key(&three).csr("CN = a", NAMES, &[]));
    let expected = "the RSA exponent 3; odd ones from 65537 to 256 bits are taken";
    assert_eq!(csr.unsupported(), [expected]);
}

#[test]
fn a_point_that_is_none_of_its_curve_is_no_key() {
    let csr = |point: &[u8]| {
        // An EC key on P-256, without a name, and signed by nobody.
        let curve =
            b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
        let key = [curve, &wrap(0x03, &[b"\0", point].concat())[..]].concat();
        let info = [b"\x02\x01\x00\x30\x00", &wrap(0x30, &key)[..], b"\xa0\x00"].concat();
        let signature = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x03\x03\x00\x30\x00";
        wrap(0x30, &[&wrap(0x30, &info)[..], signature].concat())
    };
    let off = csr(&[&[4], &[1; 64][..]].concat());
    // The point at infinity is written as one byte of nothing.
    let infinity = csr(&[0]);
    for der in [off, infinity] {
        let error = Csr::read(&der).unwrap_err();
        assert!(matches!(error, CsrError::Key { .. }), "{error}");
    }
}

#[test]
fn names_of_other_kinds_are_unsupported_and_hide_no_others() {
    let openssl = Openssl::new();
    let der = openssl.p256().configured(
        "CN = a.example.com",
        "subjectAltName = DNS:a.example.com, dirName:dir, RID:1.2.3.4, \
         otherName:1.2.3.4;UTF8:admin, DNS:b.example.com",
        "[dir]\nCN = root\n",
        &[],
    );
    let csr = read(&der);
    assert_eq!(csr.san(), ["dns:a.example.com", "dns:b.example.com"]);
    assert_eq!(
        csr.unsupported(),
        [
            "a SAN of the kind directoryName",
            "a SAN of the kind registeredID",
            "a SAN of the kind otherName",
        ]
    );
    // [3], [5] and [9] as OpenSSL's command cannot write them, and no name at all.
    let kind = |tag: &str| unsupported(&format!("2.5.29.17 = DER:3004{tag}023000"));
    assert_eq!(kind("A3"), ["a SAN of the kind x400Address"]);
    assert_eq!(kind("A5"), ["a SAN of the kind ediPartyName"]);
    assert_eq!(kind("A9"), ["a SAN of the unknown kind 9"]);
    assert_eq!(
        unsupported("2.5.29.17 = DER:3000"),
        ["a subjectAltName without a name"]
    );
}

#[test]
fn names_that_have_more_than_one_reading_are_unsupported() {
    let name = |hex: &str| unsupported(&format!("2.5.29.17 = DER:{hex}"));
    // `a\0b`, `ä` in UTF-8, and a lone 0xE4.
    assert_eq!(
        name("30058203610062"),
        ["a DNS name that is not of visible ASCII characters, `a\\0b`"]
    );
    assert_eq!(
        name("30048102C3A4"),
        ["an e-mail address that is not of visible ASCII characters, `ä`"]
    );
    assert_eq!(
        name("30038601E4"),
        ["a URI that is not of visible ASCII characters, `\u{fffd}`"]
    );
    assert_eq!(name("300787050A00000001"), ["an IP address of 5 bytes"]);
    assert_eq!(
        name("300A8708C0000200FFFFFF00"),
        ["an IP address of 8 bytes"]
    );
}

#[test]
fn what_would_make_more_than_a_server_of_it_is_unsupported() {
    assert_eq!(
        unsupported("basicConstraints = CA:TRUE"),
        ["basicConstraints with CA:TRUE"]
    );
    assert_eq!(
        unsupported("2.5.29.19 = DER:3003020100"),
        ["basicConstraints with a path length"]
    );
    assert_eq!(
        unsupported("keyUsage = digitalSignature, keyCertSign, cRLSign"),
        ["keyUsage keyCertSign", "keyUsage cRLSign"]
    );
    assert_eq!(
        unsupported("extendedKeyUsage = serverAuth, codeSigning, 1.2.3.4"),
        [
            "extendedKeyUsage 1.2.3.4",
            "extendedKeyUsage 1.3.6.1.5.5.7.3.3 (id-kp-codeSigning)"
        ]
    );
    assert_eq!(
        unsupported("subjectKeyIdentifier = 0102"),
        ["a subjectKeyIdentifier that is not the key's SHA-1"]
    );
}

#[test]
fn unknown_and_repeated_extensions_and_attributes_are_unsupported() {
    assert_eq!(unsupported("1.2.3.4 = DER:0500"), ["the extension 1.2.3.4"]);
    assert_eq!(
        unsupported("nsComment = hello"),
        ["the extension 2.16.840.1.113730.1.13"]
    );
    assert_eq!(
        unsupported("basicConstraints = CA:FALSE\n2.5.29.19 = DER:3000"),
        ["the extension 2.5.29.19 (id-ce-basicConstraints) several times"]
    );
    let openssl = Openssl::new();
    let more = "[attrs]\nunstructuredName = x\nchallengePassword = secret\n";
    let csr = read(&openssl.p256().configured("CN = a", NAMES, more, &[]));
    let unstructured = "the attribute 1.2.840.113549.1.9.2 (pkcs-9-at-unstructuredName)";
    assert_eq!(csr.unsupported(), [unstructured]);
    let more = "[attrs]\nchallengePassword = secret\n";
    let csr = read(&openssl.configured("CN = a", NAMES, more, &[]));
    assert_eq!(csr.unsupported(), [] as [&str; 0]);
}

#[test]
fn subjects_with_several_readings_are_unsupported() {
    let subject = |lines: &str, args: &[&str]| {
        let openssl = Openssl::new();
        let csr = read(&openssl.p256().csr(lines, NAMES, args));
        (
            csr.common_name().map(str::to_owned),
            csr.unsupported().to_vec(),
        )
    };
    let first = Some("a.example.com".to_owned());
    assert_eq!(
        subject("1.CN = a.example.com\n2.CN = b.example.com", &[]),
        (first.clone(), vec!["several common names".to_owned()])
    );
    let joined = [
        "-subj",
        "/CN=a.example.com+CN=b.example.com",
        "-multivalue-rdn",
    ];
    assert_eq!(
        subject("CN = x", &joined),
        (first.clone(), vec!["several common names".to_owned()])
    );
    let email = "an e-mail address in its subject instead of a SAN";
    assert_eq!(
        subject("CN = a.example.com\nemailAddress = root@example.com", &[]),
        (first, vec![email.to_owned()])
    );
    let openssl = Openssl::new();
    let der = openssl.p256().configured(
        "CN = exämple.com",
        NAMES,
        "",
        &["-nameopt", "utf8", "-config", "req.cnf"],
    );
    assert_eq!(read(&der).common_name(), Some("exämple.com"));
}

#[test]
fn a_csr_without_names_or_subject_is_read() {
    let openssl = Openssl::new();
    let csr = read(&openssl.p256().csr("CN = x", "", &["-subj", "/"]));
    assert_eq!((csr.san(), csr.common_name()), (&[] as &[String], None));
    assert_eq!((csr.subject(), csr.unsupported()), ("", &[] as &[String]));
}

#[test]
fn signatures_that_prove_nothing_are_errors() {
    let openssl = Openssl::new();
    openssl.key(&["-algorithm", "RSA"]);
    let signed = |args: &[&str]| Csr::read(&openssl.csr("CN = a", NAMES, args));
    for (weak, name) in [
        ("-sha1", "1.2.840.113549.1.1.5 (sha1WithRSAEncryption)"),
        ("-md5", "1.2.840.113549.1.1.4 (md5WithRSAEncryption)"),
        ("-sha224", "1.2.840.113549.1.1.14 (sha224WithRSAEncryption)"),
    ] {
        let found = name.to_owned();
        assert_eq!(signed(&[weak]), Err(CsrError::SignatureAlgorithm { found }));
    }
    let pss = ["-sigopt", "rsa_padding_mode:pss"];
    for good in [&["-sha256"][..], &["-sha384"], &["-sha512"]] {
        assert_eq!(signed(good).unwrap().key_type(), "RSA-2048");
        signed(&[good, &pss].concat()).unwrap();
    }
    let error = signed(&[&["-sha1"], &pss[..]].concat()).unwrap_err();
    assert!(
        matches!(error, CsrError::SignatureAlgorithm { .. }),
        "{error}"
    );
}

#[test]
fn a_signature_by_another_key_or_over_other_bytes_is_an_error() {
    let openssl = Openssl::new();
    let der = openssl.p256().csr("CN = a.example.com", NAMES, &[]);
    let text = String::from_utf8_lossy(&der);
    assert!(text.contains("api.example.com"));
    let mut altered = der.clone();
    let at = der
        .windows(15)
        .position(|window| window == b"api.example.com")
        .unwrap();
    altered[at] = b'b';
    assert_eq!(Csr::read(&altered), Err(CsrError::Signature));
    // The signature of one over the other.
    let other = openssl.p256().csr("CN = a.example.com", NAMES, &[]);
    let mut swapped = der[..der.len() - 20].to_vec();
    swapped.extend(&other[other.len() - 20..]);
    if swapped.len() == der.len() {
        assert!(Csr::read(&swapped).is_err());
    }
}

#[test]
fn what_two_parsers_read_differently_is_an_error() {
    let openssl = Openssl::new();
    let with =
        |extensions: &str| Csr::read(&openssl.p256().csr("CN = a", extensions, &[])).unwrap_err();
    let differently = CsrError::Disagreement {
        part: "the extensions",
    };
    // An extension with bytes after its end; a `TRUE` that is only not 0; a
    // `FALSE` that DER leaves out; a name whose string is in parts.
    assert_eq!(with("2.5.29.19 = DER:30000500"), differently);
    assert_eq!(with("2.5.29.19 = DER:3003010100"), differently);
    assert_eq!(with("2.5.29.17 = DER:3005A203820161"), differently);
    assert_eq!(with("2.5.29.17 = DER:30038201610500"), differently);
    // Bits that a named bit list leaves out.
    assert_eq!(with("2.5.29.15 = DER:030200A0"), differently);
}

#[test]
fn the_envelope_is_one_block_and_nothing_else() {
    let openssl = Openssl::new();
    let pem = ["-outform", "PEM", "-out", "csr.pem"];
    let der = openssl.p256().csr("CN = a", NAMES, &[]);
    openssl.csr("CN = a", NAMES, &pem);
    let pem = String::from_utf8(openssl.read("csr.pem")).unwrap();
    let said = |text: &str| Csr::read(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(said(""), "there is no CSR: it is empty");
    assert_eq!(said(" \r\n\n"), "there is no CSR: it is empty");
    assert_eq!(
        said(&format!("Certificate Request:\n{pem}")),
        "line 1: this line does not begin a PEM block"
    );
    assert_eq!(
        said(&pem.replace("CERTIFICATE REQUEST", "CERTIFICATE")),
        "line 1: this is a `CERTIFICATE`, and no CSR"
    );
    let lines = pem.lines().count();
    assert_eq!(
        said(&format!("{pem}{pem}")),
        format!(
            "line {}: there is something after the end of the CSR in line {lines}",
            lines + 1
        )
    );
    assert_eq!(
        said(&pem.replace("-----END", "---END")),
        format!("line {lines}: `-` is not of the base64 alphabet")
    );
    assert_eq!(
        said(pem.split("-----END").next().unwrap()),
        "line 1: `-----BEGIN CERTIFICATE REQUEST-----` has no end"
    );
    assert_eq!(
        said(&pem.replace("END CERTIFICATE REQUEST", "END PRIVATE KEY")),
        format!("line {lines}: `BEGIN CERTIFICATE REQUEST` ends as `END PRIVATE KEY`")
    );
    let second = pem.lines().nth(1).unwrap();
    assert_eq!(
        said(&pem.replace(second, &second[1..])),
        "line 1: what stands between the labels is not whole base64"
    );
    assert_eq!(
        said(&pem.replacen('\n', "\nProc-Type: 4,ENCRYPTED\n", 1)),
        "line 2: `-` is not of the base64 alphabet"
    );
    let trailing = [&der[..], b"\n"].concat();
    assert!(matches!(Csr::read(&trailing), Err(CsrError::Der { .. })));
    let long = vec![0x30; MAX_BYTES + 1];
    assert_eq!(Csr::read(&long), Err(CsrError::TooLong));
    assert!(matches!(
        Csr::read(&long[..MAX_BYTES]),
        Err(CsrError::Der { .. })
    ));
}

#[test]
fn a_request_takes_what_the_csr_says_and_may_not_say_otherwise() {
    let openssl = Openssl::new();
    let names = "subjectAltName = DNS:a.example.com, DNS:b.example.com";
    let csr = read(&openssl.p256().csr("CN = a.example.com", names, &[]));
    let request = |members: &str| -> IssuanceRequest {
        serde_json::from_str(&format!("{{\"action\":\"issue\"{members}}}")).unwrap()
    };
    let mut filled = request("");
    csr.into_request_fields(&mut filled).unwrap();
    assert_eq!(filled.key_type.as_deref(), Some("ECDSA-P256"));
    assert_eq!(filled.san, ["dns:a.example.com", "dns:b.example.com"]);
    assert_eq!(filled.common_name.as_deref(), Some("a.example.com"));
    let same = r#","san":["dns:B.example.com.","dns:a.example.com"],
        "key_type":"ECDSA-P256","common_name":"a.example.com""#;
    let mut agrees = request(same);
    csr.into_request_fields(&mut agrees).unwrap();
    assert_eq!(agrees, filled);
    for (members, member, message) in [
        (
            r#","key_type":"RSA-2048""#,
            "key_type",
            "`key_type` of the request is `RSA-2048`, and the CSR says `ECDSA-P256`",
        ),
        (
            r#","san":["dns:a.example.com"]"#,
            "san",
            "`san` of the request is `dns:a.example.com`, and the CSR says `dns:a.example.com`, `dns:b.example.com`",
        ),
        (
            r#","common_name":"b.example.com""#,
            "common_name",
            "`common_name` of the request is `b.example.com`, and the CSR says `a.example.com`",
        ),
        (
            r#","unsupported":["x"]"#,
            "unsupported",
            "`unsupported` of the request is `x`, and the CSR says nothing",
        ),
    ] {
        let mut other = request(members);
        let error = csr.into_request_fields(&mut other).unwrap_err();
        assert_eq!(
            (error.member, error.to_string().as_str()),
            (member, message)
        );
        assert_eq!(other, request(members));
    }
}
