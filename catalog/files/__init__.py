"""Files shared by every room: locks and failpoints. Imports nothing but catalog.errors."""
