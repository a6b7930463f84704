# The example of the worker API's documentation for the stream of events, as it stands but for the job's id.
import sys
import json
import httpx
import asyncio

async def stream():
    async with httpx.AsyncClient() as client:
        async with client.stream('GET', f'http://localhost:8000/jobs/{sys.argv[1]}/events/stream') as response:
            async for line in response.aiter_lines():
                if line.startswith('data: '):
                    event_data = json.loads(line[6:])
                    print(f"Progress: {event_data['percentage']}%")

asyncio.run(stream())
