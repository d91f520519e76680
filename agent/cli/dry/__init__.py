"""A recipe rehearsed on simulators: the station's own recipe, ranges and interlocks, and none of its devices."""
