"""The rows of the results table: each module films, measures, and compares the figures with the bars."""
