"""Networks: the audio-driven DiT, its audio branch, the autoencoder, text, speech and perception, and their loading."""
