"""Load shedding: refuse what a busy server could not answer in time, before a thread and Flask are reached.

Imported by web.app, web.cli.
"""
