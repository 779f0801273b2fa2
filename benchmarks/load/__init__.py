"""
The load: publishers and viewers as lean as Python can be, since they have one processor for all of them.
"""
