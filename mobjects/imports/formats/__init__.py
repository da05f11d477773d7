"""How a file writes its values: numbers, dates, percents, yes and no.

============  =================================================================================================
questions     what can be in doubt about a file, which answers there are, and which columns it concerns
numbers       the numbers that a text can be; ``dates``: the days, months and moments
evidence      what the cells of a file say about its answers, column by column
findings      the same in words, for pages and terminals
kept_answers  what was answered and found, in the database
============  =================================================================================================
"""
