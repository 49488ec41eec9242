"""What a user's words of direction mean: emotions, gestures, camera moves and times, in English and Mandarin.

The phrases are data, one YAML file a language (`en.yaml`, `zh.yaml`). `phrases` compiles them, `lexicon` says where
each kind has to stand, `cues` and `times` find them in a clause, `parser` puts the clauses in order, and `reader` is
the protocol that the rules share with language models.
"""
