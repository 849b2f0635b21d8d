"""Loops forever at import: does the run end?"""

while True:
    pass
