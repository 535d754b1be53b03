"""Process bulk listing jobs: input files, job store, worker, review and exports.

Imported by search.cli, search.ops, web.api, web.requests.
"""
