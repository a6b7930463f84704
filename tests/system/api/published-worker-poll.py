# The example of the worker API's documentation, "submit and monitor", as it stands but for the job's id.
import sys
import httpx
import asyncio

async def submit_and_monitor():
    async with httpx.AsyncClient() as client:
        # Submit job
        response = await client.post(
            "http://localhost:8000/jobs",
            json={
                "job_id": sys.argv[1],
                "operation": "convert",
                "image": {"path": "/data/vm.vmdk", "format": "vmdk"},
                "parameters": {"output_format": "qcow2"}
            },
            params={"queue": True}
        )
        job_id = response.json()["job_id"]
        # Monitor progress (polling)
        while True:
            status = await client.get(f"http://localhost:8000/jobs/{job_id}")
            state = status.json()["state"]
            print(f"State: {state}")
            if state in ["COMPLETED", "FAILED", "CANCELLED"]:
                break
            await asyncio.sleep(2)

asyncio.run(submit_and_monitor())
