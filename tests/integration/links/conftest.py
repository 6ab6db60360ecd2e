"""Links run on uvloop in Ray Serve replicas and on asyncio elsewhere: every test runs on both."""

import asyncio

import uvloop


def pytest_asyncio_loop_factories():
    """Return the kinds of event loop that every test here runs on."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
