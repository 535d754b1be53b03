"""The shop's assistant: what customers write in their own words, answered from what the shop knows.

Imported by nothing.
"""
