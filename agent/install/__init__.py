"""How labkeeper comes onto a workstation, is brought up to date there, goes back, and leaves.

It imports nothing of the agent but its errors and its texts, and of Python the standard library
alone: it also runs where the agent is broken, and before any library is installed.

    station.py     install and uninstall: user, folders, rules for ports, unit, config to start from
    update.py      a bundle becomes the version that runs, and the one before stays for a rollback
    bundle.py      what scripts/release made: checked whole before anything is touched
    versions.py    /opt/labkeeper/<version>, and the link `current` that is switched
    root.py        the machine that is worked on: this one, or a folder that will be one
    adapters.py    the serial ports of this machine, as the kernel knows them
"""
