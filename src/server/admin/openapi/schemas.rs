//! The schemas of what the admin plane takes and answers.

use serde_json::{Map, Value, json};

pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn object(members: &[(&str, Value)]) -> Value {
    let members: Map<String, Value> = members
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({"type": "object", "properties": members})
}

fn list(name: &str) -> Value {
    object(&[
        ("items", json!({"type": "array", "items": reference(name)})),
        ("next", json!({"type": ["string", "null"]})),
    ])
}

/// What the certificate side takes and answers.
fn issuance_schemas() -> Value {
    let text = json!({"type": "string"});
    json!({
        "SubmitIssuance": object(&[
            ("action", text.clone()), ("project", text.clone()), ("profile", text.clone()),
            ("name", text.clone()), ("issuer_type", text.clone()), ("issuer_id", text.clone()),
            ("lifetime_s", json!({"type": "integer"})), ("auto_renew", json!({"type": "boolean"})),
            ("reason", text.clone()), ("ticket", text.clone()), ("csr", text.clone()),
            ("predecessor", text.clone()), ("certificate", text.clone()),
            ("revocation", text.clone()),
            ("acknowledge", json!({"type": "array", "items": text})),
        ]),
        "IssuanceAnswer": object(&[
            ("id", text.clone()), ("outcome", text.clone()),
            ("violations", json!({"type": "array", "items": {"type": "object"}})),
            ("approval", json!({"type": ["string", "null"]})), ("job", text.clone()),
        ]),
        "Job": object(&[
            ("id", text.clone()), ("action", text.clone()), ("state", text.clone()),
            ("result", json!({"type": ["object", "null"]})),
        ]),
        "Certificate": object(&[
            ("serial", text.clone()), ("state", text.clone()), ("pem", text.clone()),
            ("not_after", text.clone()),
        ]),
        "CertificateList": list("Certificate"),
        "EnableRenewal": object(&[
            ("certificate", text.clone()), ("service", text.clone()),
            ("before_s", json!({"type": "integer"})), ("reason", text.clone()),
            ("ticket", text.clone()),
        ]),
        "Renewal": object(&[
            ("id", text.clone()), ("certificate", text.clone()), ("service", text.clone()),
            ("due", json!({"type": ["string", "null"]})), ("job", json!({"type": ["string", "null"]})),
            ("stopped", json!({"type": "boolean"})),
        ]),
        "RenewalList": list("Renewal"),
        "NewAuthority": object(&[("id", text.clone()), ("common_name", text.clone()), ("days", json!({"type": "integer"}))]),
        "Authority": object(&[("id", text.clone()), ("certificate", text.clone())]),
    })
}

pub(super) fn schemas() -> Value {
    let text = json!({"type": "string"});
    let tags = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let mut schemas = json!({
        "Any": {"type": "object"},
        "Say": object(&[("note", text.clone()), ("digest", text.clone())]),
        "Approval": object(&[
            ("id", text.clone()), ("kind", text.clone()), ("state", text.clone()),
            ("device", text.clone()), ("source", json!({"type": ["string", "null"]})),
            ("groups", json!({"type": "array", "items": text})),
            ("approvers", json!({"type": "array", "items": text})),
            ("need", json!({"type": "array", "items": {"type": "object"}})),
            ("decisions", json!({"type": "array", "items": {"type": "object"}})),
            ("digest", text.clone()), ("created", text.clone()), ("expires", text.clone()),
            ("seen", json!({"type": "integer"})),
        ]),
        "ApprovalList": list("Approval"),
        "Event": object(&[
            ("v", json!({"type": "integer"})), ("id", text.clone()), ("type", text.clone()),
            ("time", text.clone()), ("device", json!({"type": ["string", "null"]})),
            ("approval", json!({"type": "object"})), ("policy", json!({"type": "object"})),
            ("clock", json!({"type": "object"})), ("held_back", json!({"type": "integer"})),
        ]),
        "ArmAllowOnce": object(&[
            ("rule", text.clone()), ("overrides", json!({"type": "array", "items": text})),
            ("addresses", json!({"type": "array", "items": text})),
            ("for_s", json!({"type": "integer", "minimum": 1})), ("note", text.clone()),
        ]),
        "AllowOnce": object(&[
            ("id", text.clone()), ("device", text.clone()), ("rule", text.clone()),
            ("state", text.clone()), ("until", text.clone()), ("needs", json!({"type": "integer"})),
            ("armed_by", json!({"type": "array", "items": text})),
        ]),
        "AllowOnceList": list("AllowOnce"),
        "Denial": object(&[
            ("id", text.clone()), ("device", text.clone()), ("source", text.clone()),
            ("until", text.clone()), ("by", text.clone()), ("live", json!({"type": "boolean"})),
        ]),
        "DenialList": list("Denial"),
        "Problem": object(&[("type", text.clone()), ("title", text.clone()), ("status", json!({"type": "integer"})), ("detail", text.clone())]),
        "Note": object(&[("note", text.clone())]),
        "Reason": json!({"type": "object", "properties": {"note": text}, "required": ["note"]}),
        "Claim": object(&[("claim", text.clone())]),
        "Enroll": object(&[("name", text.clone()), ("tags", tags.clone()), ("bindings", json!({"type": "integer", "minimum": 1, "maximum": 64}))]),
        "Binding": object(&[("id", text.clone()), ("url", text.clone()), ("bind", text.clone())]),
        "Enrolled": object(&[("name", text.clone()), ("state", text.clone()), ("tags", tags.clone()), ("bindings", json!({"type": "array", "items": reference("Binding")}))]),
        "Device": object(&[("name", text.clone()), ("state", text.clone()), ("tags", tags.clone()), ("groups", json!({"type": "array", "items": text})), ("bindings", json!({"type": "array", "items": reference("Binding")}))]),
        "DeviceList": list("Device"),
        "PatchTags": object(&[("tags", json!({"type": "object", "additionalProperties": {"type": ["string", "null"]}}))]),
        "Rotate": object(&[("binding", text.clone()), ("retire", json!({"type": "boolean"}))]),
        "Why": object(&[("decision", reference("Decision")), ("recent", json!({"type": "array", "items": reference("Record")}))]),
        "EnrollmentKey": object(&[("id", text.clone()), ("key", text.clone()), ("tags", tags.clone()), ("expires", text.clone()), ("uses", json!({"type": "integer"}))]),
        "EnrollmentKeyList": list("EnrollmentKey"),
        "NewEnrollmentKey": object(&[("tags", tags), ("expires_s", json!({"type": "integer"})), ("uses", json!({"type": "integer"}))]),
        "MintToken": object(&[("person", text.clone())]),
        "NewToken": object(&[("id", text.clone()), ("person", text.clone()), ("token", text.clone())]),
        "Token": object(&[("id", text.clone()), ("person", text.clone()), ("minter", text.clone()), ("created", text.clone())]),
        "TokenList": list("Token"),
        "Policy": object(&[("digest", text.clone()), ("since", text.clone()), ("degraded", json!({"type": ["string", "null"]}))]),
        "Reload": object(&[("result", text.clone()), ("digest", text.clone())]),
        "Eval": object(&[("kind", text.clone()), ("request", json!({"type": "object"})), ("facts", json!({"type": "object"})), ("time", text.clone())]),
        "Decision": object(&[("outcome", text.clone()), ("reasons", json!({"type": "array", "items": {"type": "object"}})), ("policy", text.clone())]),
        "Record": object(&[("id", text.clone()), ("time", text.clone()), ("kind", text.clone()), ("request", json!({"type": "object"})), ("decision", reference("Decision"))]),
        "RecordList": list("Record"),
        "AuditList": list("Any"),
        "KeyList": list("Any"),
        "ImportKeys": object(&[("source", text.clone()), ("files", json!({"type": "array", "items": object(&[("name", text.clone()), ("text", text)])}))]),
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut schemas, issuance_schemas()) {
        all.extend(more);
    }
    schemas
}
