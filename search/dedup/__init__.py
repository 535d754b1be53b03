"""Find duplicate listings by pictures and titles.

Imported by search, search.bulk, search.doctor.
"""
