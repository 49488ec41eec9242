"""Who is where in a video: masks of every person, validated frame by frame, as training data (report, section 3.3)."""
