"""Rules beyond types, in CEL (KEP-2876): the API server refuses a resource that breaks one.

So there is no admission webhook, which would need certificates and could block the cluster.
"""

from typing import Final

from msgspec import Struct

from orders_operator.api.auth import WHERE, Auth, JwtIssuer
from orders_operator.api.database import Database, Storage
from orders_operator.api.rollout import Analysis, RollingUpdate, Rollout
from orders_operator.api.scaling import Autoscaling, DisruptionBudget
from orders_operator.api.spec import NAME_LENGTH, OrderServiceSpec, Shutdown
from orders_operator.api.traffic import Expose
from orders_operator.api.transport import Cors

_LISTS: Final = ("allowOrigins", "allowHeaders", "exposeHeaders")


class Rule(Struct, frozen=True):
    """An expression that must hold, and the message if it does not."""

    rule: str
    message: str


def _windows(analysis: str) -> Rule:
    """Return the rule that a window with a Prometheus is long enough for two scrapes.

    Args:
        analysis: the path of the analysis from the spec; each part of it may be absent.

    """
    parts = analysis.split(".")
    paths = [".".join(parts[: end + 1]) for end in range(len(parts))]
    given = [*paths, f"{analysis}.prometheus", f"{analysis}.interval"]
    left_out = [f"!has(self.{path})" for path in (*given, "monitoring", "monitoring.interval")]
    scrape = "duration(self.monitoring.interval)"
    return Rule(
        f"{' || '.join(left_out)} || (has(self.monitoring.enabled) && !self.monitoring.enabled)"
        f" || duration(self.{analysis}.interval) >= {scrape} + {scrape}",
        f"{analysis}.interval must be at least twice monitoring.interval when Prometheus is"
        " used: it knows nothing of the time between two of its scrapes",
    )


def _count(*fields: str) -> str:
    return " + ".join(f"(has(self.{field}) ? 1 : 0)" for field in fields)


def _none(field: str) -> str:
    """Return an expression: a number of pods, or a share of them, is given and zero."""
    return f"has(self.{field}) && (self.{field} == 0 || self.{field} == '0%')"


def _everything(field: str) -> str:
    """Return an expression: a list is given and has the wildcard."""
    return f"(has(self.{field}) && '*' in self.{field})"


RULES: Final[dict[type[Struct], tuple[Rule, ...]]] = {
    OrderServiceSpec: (
        _windows("rollout.canary.analysis"),
        _windows("rollout.rollingUpdate.analysis"),
    ),
    Database: (
        Rule(
            f"{_count('secretRef', 'cluster', 'embedded')} == 1",
            "exactly one of secretRef, cluster and embedded must be set",
        ),
    ),
    Storage: (
        Rule(
            "self == oldSelf",
            (
                "the volume of a database cannot be changed; delete the database and create it"
                " again"
            ),
        ),
    ),
    Shutdown: tuple(
        Rule(
            f"!has(self.{field}) || duration(self.{field}) <= duration('{most}')",
            f"{field} must be at most {most}",
        )
        for field, most in (("delay", "10m"), ("gracePeriod", "1h"))
    ),
    Analysis: (
        Rule(
            f"{_count('maxLatencyP99', 'maxLatencyIncrease')} <= 1",
            "maxLatencyP99 and maxLatencyIncrease are mutually exclusive",
        ),
        Rule(
            "!has(self.interval) || (duration(self.interval) >= duration('5s')"
            " && duration(self.interval) <= duration('1h'))",
            "interval must be 5s to 1h",
        ),
    ),
    Rollout: (
        Rule(
            "!has(self.progressDeadline) || (duration(self.progressDeadline) >= duration('10s')"
            " && duration(self.progressDeadline) <= duration('24h'))",
            "progressDeadline must be 10s to 24h",
        ),
        Rule(
            "!has(self.progressDeadline) || !has(self.minReadySeconds)"
            " || duration(self.progressDeadline).getSeconds() > self.minReadySeconds",
            "progressDeadline must be longer than minReadySeconds",
        ),
        Rule(
            "!has(self.bake) || duration(self.bake) <= duration('24h')",
            "bake must be at most 24h",
        ),
    ),
    RollingUpdate: (
        Rule(
            f"!({_none('maxSurge')})"
            f" || (has(self.maxUnavailable) && !({_none('maxUnavailable')}))",
            "maxSurge and maxUnavailable cannot both be 0: no pod could be replaced",
        ),
    ),
    Autoscaling: (
        Rule("!has(self.min) || self.min <= self.max", "min must not be greater than max"),
    ),
    DisruptionBudget: (
        Rule(
            f"{_count('minAvailable', 'maxUnavailable')} <= 1",
            "minAvailable and maxUnavailable are mutually exclusive",
        ),
    ),
    Auth: (
        Rule(
            "(has(self.jwt) && self.jwt.size() > 0) || has(self.apiKeysSecretRef)"
            " || (has(self.serviceAccounts) && self.serviceAccounts.size() > 0)",
            "auth needs jwt, apiKeysSecretRef or serviceAccounts; leave auth out to open"
            " the API to everybody",
        ),
    ),
    JwtIssuer: (
        Rule(
            f"has(self.jwksURL) || self.issuer.matches(r'^{WHERE}(/[^?#]*)?$')",
            "an issuer that is neither an https URL nor the http URL of a Service has no"
            " OpenID configuration that can be trusted: set jwksURL to the URL of its keys",
        ),
    ),
    Cors: (
        *(
            Rule(
                f"!{_everything(field)} || self.{field}.size() == 1",
                f"* stands for everything: {field} must not contain anything else",
            )
            for field in _LISTS
        ),
        Rule(
            "!has(self.allowCredentials) || !self.allowCredentials"
            f" || !({' || '.join(map(_everything, _LISTS))})",
            "no browser accepts * with credentials: name the origins and headers",
        ),
        Rule(
            "self.allowOrigins.all(it, !(it.startsWith('http://') && it.endsWith(':80'))"
            " && !(it.startsWith('https://') && it.endsWith(':443')))",
            "browsers omit the default port of an origin: leave out :80 for http and :443"
            " for https",
        ),
        Rule(
            "!has(self.maxAge) || duration(self.maxAge) <= duration('24h')",
            "maxAge must be at most 24h",
        ),
    ),
    Expose: (
        Rule(
            f"{_count('ingress', 'httpRoute')} <= 1",
            "ingress and httpRoute are mutually exclusive",
        ),
    ),
}
"""The rules by the Struct that they are about."""

ROOT: Final = (
    Rule(
        f"self.metadata.name.size() <= {NAME_LENGTH}",
        f"the name may have at most {NAME_LENGTH} characters: a Service has the same name",
    ),
    Rule(
        "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        "the name must be valid for a Service: a letter, then letters, digits and hyphens",
    ),
)
"""The rules about the whole resource."""
