"""HTTP: the declaration of the API, its two readers, and every error document."""
