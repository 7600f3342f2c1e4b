"""Makes the cluster what each OrderService says, and says in its status what came of it."""
