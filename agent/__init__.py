"""What the lab does with its devices: time, people and the network, and no bytes."""
