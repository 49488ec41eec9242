"""`python -m dramatis` is the command line."""

from dramatis.cli import main

main()
