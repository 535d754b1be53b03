"""Store products, pictures and the change log in SQLite, with a full-text word index."""
