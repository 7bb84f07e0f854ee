"""The main job, unattended: `make demo`."""
