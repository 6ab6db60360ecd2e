"""The newest pictures wait; older ones make room and are counted."""

import av

from scope_serve.client.arrivals import Arrivals, ReceivedFrame


def received(at_s):
    return ReceivedFrame(av.VideoFrame(16, 16), at_s)


async def test_pictures_come_in_order_until_closed():
    arrivals = Arrivals(4)
    for at_s in (1, 2, 3):
        arrivals.put(received(at_s))
    arrivals.close()
    assert [frame.arrived_s async for frame in arrivals] == [1, 2, 3]


async def test_the_oldest_make_room():
    arrivals = Arrivals(2)
    for at_s in range(5):
        arrivals.put(received(at_s))
    arrivals.close()
    assert (len(arrivals), arrivals.dropped) == (2, 3)
    assert [frame.arrived_s async for frame in arrivals] == [3, 4]
