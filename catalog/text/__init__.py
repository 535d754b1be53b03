"""Split and normalise text, read the glossary and labelled CSV files, and write safe CSV. Every room may import it."""
