// node node.mjs CLIENT URL   follows a stream with the named client and prints each event as JSON: [event, id, data].

import { EventSource } from "eventsource";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { setTimeout } from "node:timers/promises";

const NAMES = ["hello", "window", "cpu", "memory", "connections", "heartbeat", "shutdown"];

const log = (event, id, data) => console.log(JSON.stringify([event, id ?? null, data]));

function withEventSource(url) {
  const source = new EventSource(url);
  for (const name of NAMES) {
    source.addEventListener(name, (event) => log(event.type, event.lastEventId, event.data));
  }
}

async function withParser(url) {
  let lastId, retry;
  for (;;) {
    const { body } = await fetch(url, { headers: lastId ? { "Last-Event-ID": lastId } : {} });
    const parser = new EventSourceParserStream({ onRetry: (ms) => (retry = ms) });
    for await (const { event, id, data } of body.pipeThrough(new TextDecoderStream()).pipeThrough(parser)) {
      log(event, id, data);
      lastId = id ?? lastId;
    }
    await setTimeout(retry);
  }
}

const [client, url] = process.argv.slice(2);
await { eventsource: withEventSource, "eventsource-parser": withParser }[client](url);
