"""Generate the sample shop: run `python -m catalog.sample.generator`. Not part of the wheel."""
