"""Training loops for the mini models; each resumes from its run folder and runs on a CPU or a CUDA GPU unchanged."""
