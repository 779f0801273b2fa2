"""
Measurements that a user can repeat. Each prints ratios against a peer measured in the same run.
"""
