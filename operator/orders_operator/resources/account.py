"""The pods' ServiceAccount, and the ConfigMap that they watch while they run."""

from typing import Any, Final

from orders_operator.api.spec import OrderService
from orders_operator.resources.labels import child

CONFIG_SUFFIX: Final = "-config"
LOG_LEVEL: Final = "log-level"


def service_account(service: OrderService) -> dict[str, Any]:
    """Return an account without a token: the service does not use the Kubernetes API."""
    return child(service, "v1", "ServiceAccount", automountServiceAccountToken=False)


def config_map(service: OrderService) -> dict[str, Any]:
    """Return the settings that may change while pods run; the service watches the file."""
    data = {LOG_LEVEL: service.spec.log_level}
    return child(service, "v1", "ConfigMap", suffix=CONFIG_SUFFIX, data=data)
