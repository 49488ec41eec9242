"""How the networks are trained: one loop, one file and one config a network, one command line."""
