"""Authentication by the product's tokens and by two stock parts, to compare."""
