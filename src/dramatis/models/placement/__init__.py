"""How a large network lies in memory: counted, quantised, streamed, compiled."""
