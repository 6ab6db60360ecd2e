"""The queue before the outgoing track. Pictures are live, or due at once."""

import asyncio
import time

from scope_serve.frames import I420Frame
from scope_serve.links.messages import FrameMessage
from scope_serve.sessions.playout import CAPACITY, Playout


class Counter:
    """Counts how often it was called."""

    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1


def live(pts, position=0, length=1):
    frame = I420Frame(bytes(6), 2, 2, pts, entered_ns=time.monotonic_ns())
    return FrameMessage(frame, position, length)


async def test_pictures_leave_in_order():
    playout = Playout(taken=Counter())
    for pts in range(5):
        playout.put(live(pts))
    assert [(await playout.next()).pts for _ in range(5)] == [0, 1, 2, 3, 4]


async def test_a_picture_wakes_whoever_waits():
    playout = Playout(taken=Counter())
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(playout.next())
        group.create_task(asyncio.to_thread(lambda: None)).add_done_callback(
            lambda _: playout.put(live(7))
        )
    assert waiting.result().pts == 7


async def test_a_full_queue_drops_the_oldest_and_counts_it():
    playout = Playout(taken=Counter())
    for pts in range(CAPACITY + 3):
        playout.put(live(pts))
    assert playout.frames_dropped == 3
    assert (await playout.next()).pts == 3


async def test_every_picture_is_taken_once_whether_played_or_dropped():
    taken = Counter()
    playout = Playout(taken=taken)
    for pts in range(CAPACITY + 3):
        playout.put(live(pts))
    assert taken.count == 3
    for _ in range(CAPACITY):
        await playout.next()
    assert taken.count == CAPACITY + 3


async def test_pictures_of_a_chunk_are_not_played_before_they_are_due():
    playout = Playout(taken=Counter())
    playout.frame_rate = 50.0
    began_s = asyncio.get_running_loop().time()
    for position in range(6):
        playout.put(live(position, position, 6))
    for _ in range(6):
        await playout.next()
    assert asyncio.get_running_loop().time() - began_s >= 5 / 50 - 0.002


async def test_giving_up_waiting_loses_no_picture():
    taken = Counter()
    playout = Playout(taken=taken)
    waiting = asyncio.ensure_future(playout.next())
    await asyncio.wait([waiting], timeout=0)
    playout.put(live(1))
    waiting.cancel()
    await asyncio.wait([waiting])
    assert taken.count == 0
    assert (await playout.next()).pts == 1
