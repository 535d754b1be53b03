"""Store, check, publish and compare index generations.

Build and maintenance import it; it never imports them.
"""
