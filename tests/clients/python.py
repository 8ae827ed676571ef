"""python.py CLIENT URL: follows a stream with the named client and prints each event as JSON: [event, id, data]."""

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
    """Decompresses as bytes arrive, so an event that can't be decompressed without the next one fails the test."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip", **headers})
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def decompressed():
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.headers["Content-Encoding"] == "gzip"
            while compressed := response.read1():
                yield decompressor.decompress(compressed)
        assert decompressor.eof and not decompressor.unused_data, "the gzip stream is incomplete"

    yield from sseclient.SSEClient(decompressed()).events()


def main(client, url):
    follow = {"httpx-sse": with_httpx_sse, "sseclient-py": with_sseclient, "zlib": with_zlib}[client]
    last_id, retry_ms = "", 0
    while True:
        for event in follow(url, {"Last-Event-ID": last_id} if last_id else {}):
            print(json.dumps([event.event, event.id, event.data]), flush=True)
            last_id, retry_ms = event.id or last_id, int(event.retry or retry_ms)
        time.sleep(retry_ms / 1000)


main(*sys.argv[1:])
