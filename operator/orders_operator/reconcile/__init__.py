"""Makes the cluster match each OrderService, and reports the outcome in its status."""
