"""Power supplies, loads and other devices that put energy into a circuit or take it out."""
