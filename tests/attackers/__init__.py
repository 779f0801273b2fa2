"""
Attackers: for each row of SECURITY.rst that comes over the network, somebody who does it to a real server::

    python -m tests.attackers B5 --port 1935 --seconds 10 --from 127.0.1.0/24

They are a process of their own, so that what they do costs the server what it costs, and nobody else anything.
"""
