"""The spatial-temporal cascade (report, section 3.1): storyline -> blueprint -> keyframes -> sub-clips -> video."""
