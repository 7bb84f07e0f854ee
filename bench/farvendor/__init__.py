"""Cloudflare, but near by, and as slow as if it were far away."""
