"""Process bulk listing jobs: input files, job store, worker, review and exports.

Imported by search.cli, web.api, web.requests.
"""
