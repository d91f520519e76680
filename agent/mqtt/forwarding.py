"""Every event, from the agent's start on, becomes a message; without a broker it waits for one."""

from agent.fleet.events import Event
from agent.mqtt import payloads
from agent.mqtt.outbox import Message, Outbox
from agent.mqtt.topics import Topics
from agent.station import Station


async def forward_events(station: Station, topics: Topics, outbox: Outbox) -> None:
    """Post what has happened and what happens, in order, until cancelled."""

    def post(happened: Event) -> None:
        payload = payloads.encode(payloads.event(station.name, happened))
        outbox.post(Message(topic=topics.event, payload=payload))

    async with station.events.listen() as heard:
        for event in station.events.kept:
            post(event)
        async for event in heard:
            post(event)
