"""The first five minutes: a broker, a simulated lab and an agent on this machine's loopback."""
