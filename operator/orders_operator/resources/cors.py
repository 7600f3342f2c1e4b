"""The variables that tell the service which web pages may use it."""

from orders_operator.api.transport import Cors


def cors_environment(cors: Cors) -> dict[str, str]:
    """Return the CORS_* variables; the service has defaults for those that are left out."""
    values = {
        "CORS_ALLOW_ORIGINS": ", ".join(cors.allow_origins),
        "CORS_ALLOW_CREDENTIALS": "true" if cors.allow_credentials else "",
        "CORS_ALLOW_HEADERS": ", ".join(cors.allow_headers),
        "CORS_EXPOSE_HEADERS": ", ".join(cors.expose_headers),
        "CORS_MAX_AGE": cors.max_age or "",
    }
    return {name: value for name, value in values.items() if value}
