"""
The targets, a module each; see L{tests.fuzz.target.Target}.
"""
