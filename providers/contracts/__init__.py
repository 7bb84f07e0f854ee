"""What the providers of a kind can do, and what they do alike."""
