"""The conditions of an OrderService, and the closed set of their reasons.

A reason has the same name in the condition, in the Event and in the metric's label.

| type            | good when | says                                                            |
|-----------------|-----------|-----------------------------------------------------------------|
| Ready           | True      | callers are served, by any revision                             |
| Progressing     | either    | a rollout is under way                                          |
| Degraded        | False     | there is a failure; its message says which                      |
| Migrated        | True      | the newest pods have migrated the schema                        |
| MonitoringReady | True      | a ServiceMonitor tells Prometheus what to scrape                |
| Paused          | False     | `spec.paused` is true, and the operator changes nothing         |
| Reconciling     | False     | the declared state is not reached yet, but may still be         |
| Stalled         | False     | nothing changes until a person changes something                |

The last two are for tools that wait (kstatus, `kubectl wait`): every status has both, and they are
never True together.
"""

from enum import StrEnum


class ConditionType(StrEnum):
    """The type of a condition."""

    READY = "Ready"
    PROGRESSING = "Progressing"
    DEGRADED = "Degraded"
    MIGRATED = "Migrated"
    MONITORING_READY = "MonitoringReady"
    PAUSED = "Paused"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class Reason(StrEnum):
    """The reason of a condition's status."""

    AVAILABLE = "Available"
    UNAVAILABLE = "Unavailable"
    ROLLING_OUT = "RollingOut"
    ROLLED_OUT = "RolledOut"
    CANARY = "Canary"
    BAKING = "Baking"
    UNJUDGED = "Unjudged"
    INCONCLUSIVE = "Inconclusive"
    ROLLOUT_PAUSED = "RolloutPaused"
    AS_EXPECTED = "AsExpected"

    INVALID_SPEC = "InvalidSpec"
    SECRET_MISSING = "SecretMissing"  # noqa: S105  no secret, but that one is missing
    NAME_CONFLICT = "NameConflict"
    APPLY_FAILED = "ApplyFailed"
    MIGRATION_FAILED = "MigrationFailed"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    POD_CRASHING = "PodCrashing"
    PODS_REFUSED = "PodsRefused"
    ANALYSIS_FAILED = "AnalysisFailed"
    ABORTED = "Aborted"
    ROLLED_BACK = "RolledBack"
    HALTED = "Halted"
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    CRD_MISSING = "CRDMissing"

    MIGRATING = "Migrating"
    MIGRATED = "Migrated"
    MIGRATIONS_DISABLED = "MigrationsDisabled"

    SERVICE_MONITOR_APPLIED = "ServiceMonitorApplied"
    MONITORING_DISABLED = "MonitoringDisabled"

    PAUSED = "Paused"
    RECONCILING = "Reconciling"
