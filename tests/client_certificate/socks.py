"""A SOCKS5 proxy without sign-in: socks.py PORT LOG. Writes each destination that it was asked for to LOG."""
import asyncio
import sys


async def carry(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def serve(reader, writer):
    try:
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\5\0")
        _, command, _, kind = await reader.readexactly(4)
        length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        address, port = await reader.readexactly(length), int.from_bytes(await reader.readexactly(2))
        host = address.decode() if kind == 3 else ".".join(map(str, address)) if kind == 1 else "::1"
        with open(sys.argv[2], "a") as log:
            print(f"{command} {kind} {host}:{port}", file=log)
        far_reader, far_writer = await asyncio.open_connection(host, port)
        writer.write(b"\5\0\0\1\0\0\0\0\0\0")
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))
    except (OSError, asyncio.IncompleteReadError):
        writer.close()


async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()


asyncio.run(main())
