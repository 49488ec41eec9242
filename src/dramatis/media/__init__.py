"""Image, audio and video files in and out. Bad input is refused here, in one sentence, before models load."""
