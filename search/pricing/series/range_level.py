"""The level of ranges: here, because what serves pages needs it without numpy."""

LEVEL = 0.8  # share of prices or units that a range should contain
