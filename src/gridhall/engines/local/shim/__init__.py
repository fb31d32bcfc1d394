"""The stand-alone parent of one attempt's processes; `__main__` has the story."""
