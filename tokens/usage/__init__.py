"""How tokens are used, and by whom: noted in memory by requests, and written behind them.

A request writes nothing. A thread of each web process writes what its requests noted, at most once a minute per
token; one that another process wrote within the last minute waits for its turn.
"""

from tokens.usage.noting import note_failure, note_use
from tokens.usage.places import network_of
from tokens.usage.writer import start_writer, write_noted

__all__ = ["network_of", "note_failure", "note_use", "start_writer", "write_noted"]
