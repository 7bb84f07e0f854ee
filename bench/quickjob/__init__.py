"""A kind of job that only tells when it began."""
