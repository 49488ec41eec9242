"""Sampling: schedules, solver, guidance, conditioning and the denoising loop."""
