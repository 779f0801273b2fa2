"""
RTMP servers that are broken on purpose, each in one way, and one that is not (L{tests.brokenservers.plain}).

L{tests.brokenservers.bends} has the table of them. C{python -m tests.brokenservers} serves them, each on a port of its
own, to whoever wants to see what a client does there.
"""
