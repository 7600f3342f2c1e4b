"""What tells the service which web pages may use it."""

from orders_operator.api.transport import Cors


def cors_environment(cors: Cors) -> dict[str, str]:
    """Return the CORS_* variables; what is left out is left to the service."""
    values = {
        "CORS_ALLOW_ORIGINS": ", ".join(cors.allow_origins),
        "CORS_ALLOW_CREDENTIALS": "true" if cors.allow_credentials else "",
        "CORS_ALLOW_HEADERS": ", ".join(cors.allow_headers),
        "CORS_EXPOSE_HEADERS": ", ".join(cors.expose_headers),
        "CORS_MAX_AGE": cors.max_age or "",
    }
    return {name: value for name, value in values.items() if value}
