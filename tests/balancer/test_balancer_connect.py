"""Connecting, and deadlines that do not blame a server for our own pauses. In process: it takes a stopped event loop."""

import asyncio
import socket
import time

import pytest

from lbcert.balancer.address import Address
from lbcert.balancer.deadline import Deadline
from lbcert.balancer.health import check
from lbcert.balancer.splice import Side, connect


def test_a_spliced_side_sends_small_writes_at_once():
    async def run():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            sock = await connect(loop, Address(*listener.getsockname()), 5.0)
            transport, _ = await loop.create_connection(Side, sock=sock)
            assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            transport.abort()

    asyncio.run(run())


def test_a_refused_connect_says_so():
    async def run():
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            with pytest.raises(ConnectionRefusedError, match="Connection refused"):
                await connect(asyncio.get_running_loop(), Address(*bound.getsockname()), 5.0)

    asyncio.run(run())


def test_an_impossible_connect_is_an_os_error():
    async def run():
        with pytest.raises(OSError):
            await connect(asyncio.get_running_loop(), Address("255.255.255.255", 9), 5.0)

    asyncio.run(run())


def test_a_connection_that_stands_is_taken_however_late_we_look():
    async def run():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            connecting = connect(asyncio.get_running_loop(), Address(*listener.getsockname()), 0.01)
            time.sleep(0.05)
            (await connecting).close()

    asyncio.run(run())


def test_a_late_deadline_gives_the_time_again_once():
    async def run():
        expired = asyncio.Event()
        loop = asyncio.get_running_loop()
        began = loop.time()
        Deadline(loop, 0.05, expired.set)
        time.sleep(0.2)
        await asyncio.wait_for(expired.wait(), 5.0)
        assert loop.time() - began >= 0.25

    asyncio.run(run())


def test_a_cancelled_deadline_does_not_expire():
    async def run():
        expired = asyncio.Event()
        later = asyncio.Event()
        loop = asyncio.get_running_loop()
        Deadline(loop, 0.01, expired.set).cancel()
        Deadline(loop, 0.05, later.set)
        await asyncio.wait_for(later.wait(), 5.0)
        assert not expired.is_set()

    asyncio.run(run())


def test_a_pause_of_our_own_takes_nothing_from_the_time_to_answer_a_check():
    async def run():
        async def answer_soon(reader, writer):
            if await reader.read(1):
                asyncio.get_running_loop().call_later(0.05, writer.write, b"SIP/2.0 200 OK\r\n")
                await reader.read()
            writer.close()

        async with await asyncio.start_server(answer_soon, "127.0.0.1") as server:
            address = Address(*server.sockets[0].getsockname())
            asyncio.get_running_loop().call_soon(time.sleep, 0.6)
            await check(address, "sip", 0.5, sip_port=address.port)

    asyncio.run(run())
