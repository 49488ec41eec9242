"""What a user does, wired together: the pipeline, jobs, casting, previews. The command line is a face of it."""
