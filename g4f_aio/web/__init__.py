"""The web as a source of answers: search, the pages that were found, and how a model gets them.

Nothing of it is imported before a request asks for it.
"""
