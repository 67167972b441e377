"""Answers from the rows of a whole table: looked up, counted, added or compared.

question    what a question says that matters for a table: words, limits, operations
load        the whole table that a retrieved row belongs to
rows        its cells, and columns with the values that can be compared
conditions  the values of cells that the question names
row_sets    rows that are taken of these: largest, next, of the same value
plans       the readings: which rows, which operation, which column
features    what the choice among them sees (place_features: by the places of the words)
choice      the likeliest reading, by a linear model and the part reader (wording: in words)
chance      how likely it answers, and what forbids it
model       the fitted numbers of choice and chance
gaps        the empty cell that a question asks for
answer      the quotations, or the sentence that was computed
"""
