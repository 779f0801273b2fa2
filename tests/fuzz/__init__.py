"""
Fuzzing: bytes that nobody has thought of.

Each module in C{tests/fuzz/targets} is a target: a plain function that takes bytes, and raises if anything comes of
them that must not. C{tests/fuzz/corpora} has the inputs that are worth keeping, by target; L{tests.fuzz.test_corpora}
replays them. To look for new ones takes atheris (C{pip install -e '.[fuzz]'})::

    python -m tests.fuzz amf0 --seconds 60
"""
