"""What a user's words of direction mean: emotions, gestures, camera moves and times, in English and Mandarin."""
