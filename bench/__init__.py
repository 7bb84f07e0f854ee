"""What Deploynix costs, measured: each module here is one part, and `python -m bench` runs them all."""
