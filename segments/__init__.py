"""What a user's behaviour makes them: scaling, model, assignment, reasons, names, learning.

Pure: no I/O, clock, logging or hidden randomness. The only package that imports River.
"""
