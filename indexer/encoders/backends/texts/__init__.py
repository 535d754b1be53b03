"""The starter's frozen text towers: MiniLM for English sentences, E5 for texts of any language.

Imported by indexer.encoders, indexer.training, search.text_heads.
"""
