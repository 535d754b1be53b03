"""What reviews tell the owner of a shop: aspects that fell, sizes and colours that disappoint.

Imported by search.doctor, web.api.
"""
