"""Models that score products for a visitor, behind one contract.

Imported by nothing.
"""
