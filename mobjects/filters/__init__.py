"""Conditions on records as addresses of lists write them: which fields there are, what may be asked of each, in words.

An address holds one ``where`` for each condition, ``where=amount.from.1000``: a field's name, an operator, and a value
where the operator has one. Nothing else of an address reaches a query.
"""
