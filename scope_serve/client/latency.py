"""Pairs received pictures with sent ones by their barcode."""

from dataclasses import dataclass

from scope_serve.client import barcode
from scope_serve.client.arrivals import ReceivedFrame
from scope_serve.client.pictures import luma_of
from scope_serve.client.sources import SentFrame, SentLog


@dataclass(frozen=True, slots=True)
class Pairing:
    """A received picture and the sent one that it was made from."""

    sent: SentFrame
    arrived_s: float
    inverted: bool

    @property
    def latency_ms(self) -> float:
        """From the hand-over to the sender to the decoded picture."""
        return (self.arrived_s - self.sent.sent_s) * 1000


def pair(received: ReceivedFrame, sent: SentLog) -> Pairing | None:
    """Return the pairing of a picture; None if its barcode is unreadable or was never sent."""
    reading = barcode.decode(luma_of(received.picture))
    if reading is None:
        return None
    origin = sent.by_barcode(reading.number)
    if origin is None:
        return None
    return Pairing(origin, received.arrived_s, reading.inverted)
