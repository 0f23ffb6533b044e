"""The plain twin: the rulebook's figures again, slowly, in the standard library and `holidays` alone.

Nothing here may import from procmon: the two implementations meet only in the tests that compare them.
"""
