"""Read German, French, Spanish and Japanese: the language of a text, stems, compounds, word order, negation.

Imported by search.assistant.answering, search.assistant.dialogue, search.assistant.evaluation,
search.assistant.generation, search.assistant.intents, search.assistant.policies, search.assistant.products,
search.assistant.products.reading, search.query, search.retrieval, search.reviews, search.reviews.analysis,
search.reviews.evaluation, search.reviews.importing, search.speech, search.understanding, web.questions,
web.reviews.api.
"""
