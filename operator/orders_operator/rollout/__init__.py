"""Where a rollout stands and where it goes: decisions are pure, only `windows` reads from pods."""
