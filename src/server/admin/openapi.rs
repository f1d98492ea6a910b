//! The admin plane's own description, OpenAPI 3.1, made from one table.
//!
//! The table is what the router is held against by a test: a route that is
//! served and not described, or described and not served, fails it.

use serde_json::{Map, Value, json};

/// One operation of the admin plane.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The HTTP method, lower case.
    pub method: &'static str,
    /// The path below `/api/v1`.
    pub path: &'static str,
    /// One line of what it does.
    pub summary: &'static str,
    /// The schema of its body; empty where it takes none.
    pub body: &'static str,
    /// The status of its success.
    pub success: u16,
    /// The schema of its answer.
    pub answer: &'static str,
}

const fn operation(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: &'static str,
    success: u16,
    answer: &'static str,
) -> Operation {
    Operation {
        method,
        path,
        summary,
        body,
        success,
        answer,
    }
}

/// Every operation.
pub const OPERATIONS: &[Operation] = &[
    operation("get", "/openapi.json", "This description", "", 200, "Any"),
    operation(
        "post",
        "/claim",
        "Turn the first start's claim into an owner's token",
        "Claim",
        201,
        "NewToken",
    ),
    operation("get", "/devices", "List devices", "", 200, "DeviceList"),
    operation(
        "post",
        "/devices",
        "Enroll a device; its URLs are told this once",
        "Enroll",
        201,
        "Enrolled",
    ),
    operation(
        "get",
        "/devices/{name}",
        "Show a device and the groups that cover it",
        "",
        200,
        "Device",
    ),
    operation(
        "patch",
        "/devices/{name}",
        "Set tags, or remove them with null",
        "PatchTags",
        200,
        "Device",
    ),
    operation(
        "get",
        "/devices/{name}/why",
        "Its last requests, and with `from` a decision with its trace",
        "",
        200,
        "Why",
    ),
    operation(
        "post",
        "/devices/{name}/disable",
        "Stop taking part in its unlocks",
        "Note",
        200,
        "Device",
    ),
    operation(
        "post",
        "/devices/{name}/enable",
        "Take part in its unlocks again",
        "Note",
        200,
        "Device",
    ),
    operation(
        "post",
        "/devices/{name}/revoke",
        "End it for good and destroy its keys",
        "Note",
        200,
        "Device",
    ),
    operation(
        "post",
        "/devices/{name}/rotate",
        "Advertise new keys; the old ones still recover",
        "Rotate",
        200,
        "Device",
    ),
    operation(
        "get",
        "/devices/{name}/allow-once",
        "The one-time unlocks of a device, the newest first",
        "",
        200,
        "AllowOnceList",
    ),
    operation(
        "post",
        "/devices/{name}/allow-once",
        "Arm a one-time unlock within what the policy lets; takes an Idempotency-Key",
        "ArmAllowOnce",
        201,
        "AllowOnce",
    ),
    operation(
        "post",
        "/devices/{name}/allow-once/{id}/arm",
        "Arm it too, where it takes several persons",
        "",
        200,
        "AllowOnce",
    ),
    operation(
        "delete",
        "/devices/{name}/allow-once/{id}",
        "Take a one-time unlock back",
        "",
        200,
        "AllowOnce",
    ),
    operation(
        "get",
        "/approvals",
        "Approval requests, the newest first; by `state`, `kind` and `device`",
        "",
        200,
        "ApprovalList",
    ),
    operation(
        "get",
        "/approvals/{id}",
        "One approval request, with the digest of what is shown",
        "",
        200,
        "Approval",
    ),
    operation(
        "post",
        "/approvals/{id}/{verdict}",
        "Say `approve`, `deny`, `defer`, `reject` or `cancel`, of what the digest covers",
        "Say",
        200,
        "Approval",
    ),
    operation(
        "post",
        "/issuance",
        "Ask something of the certificate side; 202 where it waits, 422 with every violation",
        "SubmitIssuance",
        201,
        "IssuanceAnswer",
    ),
    operation(
        "post",
        "/issuance/dry-run",
        "Say what would come of it, and do nothing",
        "SubmitIssuance",
        200,
        "IssuanceAnswer",
    ),
    operation(
        "get",
        "/jobs/{id}",
        "A job and what came of it",
        "",
        200,
        "Job",
    ),
    operation(
        "get",
        "/certificates",
        "The certificates that were made",
        "",
        200,
        "CertificateList",
    ),
    operation(
        "get",
        "/renewals",
        "List the standing orders to renew",
        "",
        200,
        "RenewalList",
    ),
    operation(
        "post",
        "/renewals",
        "Have a certificate renewed by itself, asked for by a service",
        "EnableRenewal",
        201,
        "Renewal",
    ),
    operation(
        "delete",
        "/renewals/{id}",
        "Stop renewing by itself",
        "",
        200,
        "Renewal",
    ),
    operation(
        "post",
        "/step-ca",
        "Answer a webhook of step-ca: whether it may sign; with its signature in place of a token",
        "Any",
        200,
        "Any",
    ),
    operation(
        "get",
        "/permit-keys",
        "The keys that permits are signed with, a JWK set; without a token",
        "",
        200,
        "Any",
    ),
    operation(
        "post",
        "/authorities",
        "Make a certification authority of the server's own",
        "NewAuthority",
        201,
        "Authority",
    ),
    operation(
        "get",
        "/authorities/{id}",
        "The certificate of an authority, PEM; without a token",
        "",
        200,
        "Any",
    ),
    operation(
        "get",
        "/authorities/{id}/crl",
        "The certificates of an authority that were revoked, PEM; without a token",
        "",
        200,
        "Any",
    ),
    operation(
        "get",
        "/events",
        "What happens, as server-sent events; after entry `after`, or the header Last-Event-ID",
        "",
        200,
        "Event",
    ),
    operation(
        "get",
        "/denials",
        "Temporary denials that hold; with `all` also those that are over",
        "",
        200,
        "DenialList",
    ),
    operation(
        "delete",
        "/denials/{id}",
        "Lift a temporary denial",
        "",
        200,
        "Denial",
    ),
    operation(
        "post",
        "/clock/accept",
        "Take the server's clock as it is, after a jump",
        "Note",
        200,
        "Any",
    ),
    operation(
        "get",
        "/enrollment-keys",
        "List enrollment keys",
        "",
        200,
        "EnrollmentKeyList",
    ),
    operation(
        "post",
        "/enrollment-keys",
        "Make an enrollment key; it is told this once",
        "NewEnrollmentKey",
        201,
        "EnrollmentKey",
    ),
    operation(
        "delete",
        "/enrollment-keys/{id}",
        "Revoke an enrollment key",
        "",
        200,
        "Any",
    ),
    operation(
        "get",
        "/tokens",
        "List tokens; secrets are not kept",
        "",
        200,
        "TokenList",
    ),
    operation(
        "post",
        "/tokens",
        "Mint a token; it is told this once",
        "MintToken",
        201,
        "NewToken",
    ),
    operation("delete", "/tokens/{id}", "Revoke a token", "", 200, "Any"),
    operation("get", "/policy", "The policy in force", "", 200, "Policy"),
    operation(
        "post",
        "/policy/reload",
        "Read the tree again",
        "Note",
        200,
        "Reload",
    ),
    operation(
        "post",
        "/eval",
        "Decide a request as if it came now, with a trace",
        "Eval",
        200,
        "Decision",
    ),
    operation(
        "get",
        "/records",
        "Recorded requests, newest first; by `device`, `outcome`, `since`",
        "",
        200,
        "RecordList",
    ),
    operation(
        "get",
        "/audit",
        "Journal entries after `after`",
        "",
        200,
        "AuditList",
    ),
    operation(
        "get",
        "/audit/head",
        "The journal's head, signed now",
        "",
        200,
        "Any",
    ),
    operation(
        "post",
        "/audit/accept-head",
        "Accept by name that the journal lacks what the anchored head covers",
        "Reason",
        200,
        "Any",
    ),
    operation(
        "get",
        "/keys",
        "Legacy keys, and who still uses each",
        "",
        200,
        "KeyList",
    ),
    operation(
        "post",
        "/keys/import",
        "Take over a Tang server's keys",
        "ImportKeys",
        200,
        "Any",
    ),
    operation(
        "delete",
        "/keys/{thumbprint}",
        "Destroy a legacy key",
        "",
        200,
        "Any",
    ),
    operation(
        "post",
        "/backup",
        "Write a backup into the state's directory of backups",
        "Note",
        200,
        "Any",
    ),
];

/// The OpenAPI document.
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        let path = paths
            .entry(format!("/api/v1{}", operation.path))
            .or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            methods.insert(operation.method.to_owned(), describe(operation));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "panopol admin plane",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(),
        },
    })
}

fn describe(operation: &Operation) -> Value {
    let parameters: Vec<Value> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
        })
        .collect();
    let mut out = json!({
        "operationId": format!("{}{}", operation.method, operation.path.replace(['/', '{', '}', '.'], "_")),
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            operation.success.to_string(): {
                "description": "done",
                "content": {media_type(operation): {"schema": reference(operation.answer)}},
            },
            "default": {
                "description": "refused or failed",
                "content": {"application/problem+json": {"schema": reference("Problem")}},
            },
        },
    });
    if let (false, Value::Object(members)) = (operation.body.is_empty(), &mut out) {
        members.insert(
            "requestBody".to_owned(),
            json!({"content": {"application/json": {"schema": reference(operation.body)}}}),
        );
    }
    if let (
        "/claim"
        | "/openapi.json"
        | "/step-ca"
        | "/permit-keys"
        | "/authorities/{id}"
        | "/authorities/{id}/crl",
        Value::Object(members),
    ) = (operation.path, &mut out)
    {
        members.insert("security".to_owned(), json!([]));
    }
    out
}

/// What an answer is; of a stream, the schema is that of each event's data.
fn media_type(operation: &Operation) -> &'static str {
    match operation.path {
        "/events" => "text/event-stream",
        _ => "application/json",
    }
}

fn reference(name: &str) -> Value {
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

fn schemas() -> Value {
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
