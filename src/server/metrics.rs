//! What the server counts, for Prometheus.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::decision::Decision;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Labels of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DecisionLabels {
    /// `unlock` or `issuance`.
    pub path: &'static str,
    /// `allow`, `deny` or `pending`.
    pub outcome: &'static str,
    /// The first reason's code.
    pub code: &'static str,
}

/// Labels of what became of an approval request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ApprovalLabels {
    /// `approved`, `denied`, `rejected`, `expired`, `cancelled`, `superseded` or `bypassed`.
    pub outcome: &'static str,
    /// The approval group.
    pub group: String,
}

/// Labels of a policy reload.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReloadLabels {
    /// `loaded`, `unchanged` or `rejected`.
    pub result: &'static str,
}

/// Labels of an answer on the unlock plane.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AnswerLabels {
    /// `adv`, `rec` or `other`.
    pub route: &'static str,
    /// The HTTP status.
    pub status: u16,
}

/// The label of a plane.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PlaneLabel {
    /// `unlock` or `admin`.
    pub plane: &'static str,
}

/// Labels of what became of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct NotificationLabels {
    /// The sink's name.
    pub sink: String,
    /// `delivered`, `retried`, `dropped` or `held-back`.
    pub result: &'static str,
}

/// The label of a sink.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SinkLabel {
    /// Its name.
    pub sink: String,
}

/// Every metric, and the registry that prints them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Decisions by path, outcome and code.
    pub decisions: Family<DecisionLabels, Counter>,
    /// Time of one decision, in seconds; an exchange that is allowed takes two.
    pub decision_seconds: Histogram,
    /// Time of one exchange from its body to its reply, the decision included, in seconds.
    pub exchange_seconds: Histogram,
    /// What became of approval requests, by outcome and group.
    approvals: Family<ApprovalLabels, Counter>,
    /// How long requests were pending when they ceased to be, in seconds.
    pub pending_age_seconds: Histogram,
    /// 1 while the clock has jumped and timed grants are frozen.
    pub clock_frozen: Gauge<i64, std::sync::atomic::AtomicI64>,
    /// Policy loads by result.
    pub reloads: Family<ReloadLabels, Counter>,
    /// Journal entries there are.
    audit_entries: Counter,
    /// Answers on the unlock plane.
    pub answers: Family<AnswerLabels, Counter>,
    /// Connections that were closed since their peer held its share.
    refused_connections: Family<PlaneLabel, Counter>,
    /// 1 while the policy that runs is not the one on disk.
    pub degraded: Gauge<i64, std::sync::atomic::AtomicI64>,
    /// Records that could not be written.
    pub records_lost: Counter<u64, AtomicU64>,
    /// What became of notifications, by sink.
    notifications: Family<NotificationLabels, Counter>,
    /// Journal entries that a sink is not done with.
    notifications_lag: Family<SinkLabel, Gauge>,
    /// The last entry that each sink is done with.
    reached: Mutex<BTreeMap<String, u64>>,
}

impl Metrics {
    /// Registers every metric under its contract name.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("panopol");
        let decisions = Family::default();
        let decision_seconds = Histogram::new(exponential_buckets(100e-9, 4.0, 12));
        let exchange_seconds = Histogram::new(exponential_buckets(50e-6, 2.0, 16));
        let reloads = Family::default();
        let approvals = Family::default();
        let pending_age_seconds = Histogram::new([60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0]);
        let clock_frozen = Gauge::default();
        registry.register(
            "approval_decisions",
            "What became of approval requests, by outcome and group",
            Family::clone(&approvals),
        );
        registry.register_with_unit(
            "approval_pending_age",
            "How long requests were pending when they ceased to be",
            Unit::Seconds,
            pending_age_seconds.clone(),
        );
        registry.register(
            "clock_frozen",
            "1 while the clock has jumped and timed grants are frozen",
            clock_frozen.clone(),
        );
        let audit_entries = Counter::default();
        let answers = Family::default();
        let degraded = Gauge::default();
        let records_lost = Counter::default();
        registry.register(
            "decisions",
            "Decisions by path, outcome and code",
            decisions.clone(),
        );
        registry.register_with_unit(
            "decision",
            "Time of one decision",
            Unit::Seconds,
            decision_seconds.clone(),
        );
        registry.register_with_unit(
            "exchange",
            "Time of one exchange, its decision included",
            Unit::Seconds,
            exchange_seconds.clone(),
        );
        registry.register("policy_reload", "Policy loads by result", reloads.clone());
        registry.register(
            "audit_entries",
            "Journal entries written",
            audit_entries.clone(),
        );
        registry.register(
            "unlock_answers",
            "Answers on the unlock plane",
            answers.clone(),
        );
        let refused_connections = Family::default();
        registry.register(
            "connections_refused",
            "Connections closed since their peer held its share",
            Family::clone(&refused_connections),
        );
        registry.register(
            "policy_degraded",
            "1 while the policy that runs is not the one on disk",
            degraded.clone(),
        );
        registry.register(
            "records_lost",
            "Records that could not be written",
            records_lost.clone(),
        );
        let notifications = Family::default();
        registry.register(
            "notifications",
            "What became of notifications, by sink",
            Family::clone(&notifications),
        );
        let notifications_lag = Family::default();
        registry.register(
            "notifications_lag",
            "Journal entries that a sink is not done with",
            Family::clone(&notifications_lag),
        );
        Metrics {
            notifications,
            notifications_lag,
            reached: Mutex::default(),
            registry,
            decisions,
            decision_seconds,
            exchange_seconds,
            approvals,
            pending_age_seconds,
            clock_frozen,
            reloads,
            audit_entries,
            answers,
            refused_connections,
            degraded,
            records_lost,
        }
    }

    /// Counts one decision.
    pub fn count_decision(&self, path: &'static str, decision: &Decision) {
        let code = decision
            .reasons
            .first()
            .map_or("", |reason| reason.code.word());
        self.decisions
            .get_or_create(&DecisionLabels {
                path,
                outcome: decision.outcome.word(),
                code,
            })
            .inc();
    }

    /// Counts one answer of the unlock plane.
    pub fn count_answer(&self, route: &'static str, status: u16) {
        self.answers
            .get_or_create(&AnswerLabels { route, status })
            .inc();
    }

    /// What counts the connections that `plane` closes at once.
    pub fn refused_connections(&self, plane: &'static str) -> Counter {
        let counter = self
            .refused_connections
            .get_or_create(&PlaneLabel { plane });
        counter.clone()
    }

    /// Counts what became of a request of one group.
    pub fn count_approval(&self, outcome: &'static str, group: &str) {
        let group = group.to_owned();
        self.approvals
            .get_or_create(&ApprovalLabels { outcome, group })
            .inc();
    }

    /// Adds to what became of a sink's notifications; 0 makes it known.
    pub fn count_notification(&self, sink: &str, result: &'static str, more: u64) {
        let sink = sink.to_owned();
        self.notifications
            .get_or_create(&NotificationLabels { sink, result })
            .inc_by(more);
    }

    /// Notes how far a sink has come.
    pub fn note_reached(&self, sink: &str, seq: u64) {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = reached.get_mut(sink) {
            *at = seq;
        } else {
            reached.insert(sink.to_owned(), seq);
        }
    }

    /// Measures each sink against the journal's last entry.
    pub fn set_notification_lags(&self, last: u64) {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        for (sink, at) in &*reached {
            let sink = sink.clone();
            let behind = i64::try_from(last.saturating_sub(*at)).unwrap_or(i64::MAX);
            self.notifications_lag
                .get_or_create(&SinkLabel { sink })
                .set(behind);
        }
    }

    /// Counts one policy load.
    pub fn count_reload(&self, result: &'static str) {
        self.reloads.get_or_create(&ReloadLabels { result }).inc();
    }

    /// Brings the count of journal entries up to the journal's own.
    pub fn set_audit_entries(&self, entries: u64) {
        self.audit_entries.inner().store(entries, Ordering::Relaxed);
    }

    /// The exposition text.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
