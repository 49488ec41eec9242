"""How work is stored, run, reported and seeded: artifacts, executors, progress events, seeds."""
