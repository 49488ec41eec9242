"""`python -m dramatis_lab` is the lab's command line."""

from dramatis_lab.cli import main

main()
