"""Every statement over the tables of processes, a file for each table: fixed text, bound values, and rows with names.

Nothing that came from outside stands in a text, and each statement names one org. Reading, looking at instants and
writing all take theirs from here.
"""
