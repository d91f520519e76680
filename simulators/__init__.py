"""Instruments written from their manuals: they import neither `agent` nor `drivers`.

A simulator is a second reading of the manual, so that a driver's misreading is caught and
not mirrored. State and physics live in an `Instrument`; `serve` puts it on loopback TCP
and on pseudo-terminals; `faults` stands between the two and spoils what goes through.
"""
