# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The peer of the benchmark "queue": the same routes as an application in Python would have them, on
# dictionaries. Nothing is written anywhere, and nothing survives.

import heapq
import itertools
from datetime import datetime, timezone
from typing import Any, Dict, List, Optional

from fastapi import Body, FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
jobs: Dict[str, Dict[str, Any]] = {}
workers: Dict[str, Dict[str, Any]] = {}
queue: List[Any] = []
waiting: Dict[int, int] = {}
arrival = itertools.count()


class Policy(BaseModel):
    priority: int = 50
    timeout_seconds: int = 7200
    retry_count: int = 3


class Job(BaseModel):
    job_id: str
    operation: str
    image: Dict[str, Any]
    parameters: Dict[str, Any] = {}
    execution_policy: Policy = Policy()


class Worker(BaseModel):
    worker_id: str
    capabilities: List[str] = []
    system_info: Dict[str, Any] = {}


def now() -> str:
    return datetime.now(timezone.utc).isoformat()


def enqueue(job: Job) -> None:
    history = [{"state": s, "timestamp": now()} for s in ("CREATED", "VALIDATED", "QUEUED")]
    jobs[job.job_id] = {"job_id": job.job_id, "spec": job.dict(), "state": "QUEUED", "state_history": history}
    priority = job.execution_policy.priority
    waiting[priority] = waiting.get(priority, 0) + 1
    heapq.heappush(queue, (-priority, next(arrival), job.job_id))


@app.post("/jobs", status_code=201)
async def submit(job: Job, queue: bool = False):
    if job.job_id in jobs:
        raise HTTPException(status_code=409, detail="exists already")
    enqueue(job)
    position = sum(n for p, n in waiting.items() if p >= job.execution_policy.priority)
    return {"job_id": job.job_id, "state": "QUEUED", "message": "Job queued successfully", "queue_position": position}


@app.get("/jobs/{job_id}")
async def get_job(job_id: str):
    if job_id not in jobs:
        raise HTTPException(status_code=404, detail="no such job")
    return jobs[job_id]


@app.post("/workers/register", status_code=201)
async def register(worker: Worker):
    workers[worker.worker_id] = {**worker.dict(), "last_heartbeat": now()}
    return {"worker_id": worker.worker_id, "message": "Worker registered successfully"}


@app.post("/workers/{worker_id}/heartbeat")
async def heartbeat(worker_id: str):
    if worker_id not in workers:
        raise HTTPException(status_code=404, detail="no such worker")
    workers[worker_id]["last_heartbeat"] = now()
    return {"worker_id": worker_id, "message": "Heartbeat received", "timestamp": now()}


@app.get("/workers")
async def list_workers():
    return {"total": len(workers), "active": len(workers), "workers": list(workers.values())}


@app.post("/queue/dequeue")
async def dequeue(worker: Worker) -> Optional[Dict[str, Any]]:
    if worker.worker_id not in workers:
        raise HTTPException(status_code=404, detail="no such worker")
    if not queue:
        return None
    _, _, job_id = heapq.heappop(queue)
    job = jobs[job_id]
    waiting[job["spec"]["execution_policy"]["priority"]] -= 1
    job["state"] = "ASSIGNED"
    job["worker_id"] = worker.worker_id
    job["state_history"].append({"state": "ASSIGNED", "timestamp": now()})
    return job["spec"]


@app.post("/fill")
async def fill(n: int = Body(..., embed=True)):
    for i in range(n):
        enqueue(Job(job_id=f"fill-{next(arrival)}", operation="convert", image={"path": "/srv/bench/small.qcow2"}))
    return {"jobs": len(jobs)}
