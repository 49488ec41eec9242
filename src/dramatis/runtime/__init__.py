"""How work is kept, run, reported and seeded: artifacts, executors, progress events, seeds."""
