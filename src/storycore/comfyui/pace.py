"""How often a server is asked, and how long is waited before something is believed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """All in seconds.

    Attributes:
        poll_first: between two looks while there is no socket, at the beginning; it grows.
        poll: between two looks while there is no socket, later.
        watch: without a word from the socket for that long, the server is asked.
        silence: without a word from the socket for that long while the server says that it runs, it is opened anew.
        settle: how long the history may lag behind the socket.
        miss: between the two looks that must both find nothing before a run counts as gone.
        down: for how long a server that does not answer is waited for before another is taken.
        grace: for how long a run that was told to stop is waited for.
        place: between two looks for a free place on a server.
        call: for one call to a server.
    """

    poll_first: float = 0.02
    poll: float = 1.0
    watch: float = 5.0
    silence: float = 30.0
    settle: float = 5.0
    miss: float = 1.0
    down: float = 60.0
    grace: float = 10.0
    place: float = 0.25
    call: float = 30.0
