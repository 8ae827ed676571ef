"""Follows a stream with the client that is named first, and writes each event as a line of JSON: [event, id, data]."""

import json
import sys
import time
import urllib.request
import zlib

import httpx
import requests
import sseclient
from httpx_sse import connect_sse


def with_httpx_sse(url, headers):
    with httpx.Client(timeout=30) as client, connect_sse(client, "GET", url, headers=headers) as source:
        yield from source.iter_sse()


def with_sseclient(url, headers):
    with requests.get(url, headers=headers, stream=True, timeout=30) as response:
        yield from sseclient.SSEClient(response).events()


def with_zlib(url, headers):
    """Unpacks by hand: an event that could only be unpacked along with the next would hold the test up."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip", **headers})
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def unpacked():
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.headers["Content-Encoding"] == "gzip"
            while packed := response.read1():
                yield unpacker.decompress(packed)
        assert unpacker.eof and not unpacker.unused_data, "the gzip stream has no end"

    yield from sseclient.SSEClient(unpacked()).events()


def main(client, url):
    follow = {"httpx-sse": with_httpx_sse, "sseclient-py": with_sseclient, "zlib": with_zlib}[client]
    last_id, retry_ms = "", 0
    while True:
        for event in follow(url, {"Last-Event-ID": last_id} if last_id else {}):
            print(json.dumps([event.event, event.id, event.data]), flush=True)
            last_id, retry_ms = event.id or last_id, int(event.retry or retry_ms)
        time.sleep(retry_ms / 1000)


main(*sys.argv[1:])
