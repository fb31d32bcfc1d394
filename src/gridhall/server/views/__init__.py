"""Views: pure functions from what the loop has in memory (and rows that a query read) to the objects of the API.

They read columns of the state by place or by mask and never walk over every job. What a caller may not see is left out
here, by a function that the caller's rights are handed in as.
"""
