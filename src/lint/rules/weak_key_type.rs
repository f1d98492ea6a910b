//! Keys that will not last.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::syntax::tree::{IssuanceStatement, ItemKind};
use crate::vocabulary::KeyType;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "weak-key-type",
    severity: Severity::Warning,
    summary: "an issuance policy lets RSA keys of 2048 bits in",
    why: "RSA of 2048 bits is worth 112 bits of security, the least that is still accepted. NIST \
          calls it deprecated after 2030 and disallowed after 2035 (IR 8547, initial public \
          draft), and a signature by it is slower than one by ECDSA-P256, which is worth more. \
          Where old clients leave no choice, say so in a comment.",
    bad: r#"edition 2026

project web

issuance web-certificates {
  where     project == web
  key-types [RSA-2048, ECDSA-P256]
}
"#,
    good: r#"edition 2026

project web

issuance web-certificates {
  where     project == web
  key-types [RSA-3072, ECDSA-P256]
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for item in context.checked.trees.iter().flat_map(|tree| &tree.items) {
        let ItemKind::Issuance(policy) = &item.value else {
            continue;
        };
        for statement in &policy.statements {
            let IssuanceStatement::KeyTypes(types) = &statement.value else {
                continue;
            };
            for weak in types.iter().filter(|one| one.value == KeyType::Rsa2048) {
                let message = format!("`{}` is worth 112 bits of security", weak.value);
                findings.push(
                    Diagnostic::new(&CODE, weak.span, message)
                        .help("ask for `ECDSA-P256`, or `RSA-3072` where it must be RSA"),
                );
            }
        }
    }
}
