"""
Measurements that a user can repeat. Each prints ratios against a peer measured in the same run.

C{python -m benchmarks} measures servers; C{python -m benchmarks.chunks} the chunk reader alone.
"""
