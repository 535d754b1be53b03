"""Store, check, publish and compare index generations.

Build and maintenance import this package; it never imports them.
"""
