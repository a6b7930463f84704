#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients and workers that give the worker API no rest, and what they were answered.

    worker-load.py run SECONDS SEED [kill]  a load, on standard output a line of JSON for each answer that counts; with
                                            "kill", the manager and the API get SIGKILL at random moments meanwhile
    worker-load.py settle                   the workers come back and finish what they hold and what waits
    worker-load.py check LOG                compares what was answered with what is in the database

What was not answered is asked again, as a sound client does; a worker that was given a job and never heard of it finds
it among those that its heartbeat is told."""

import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

WORKERS = [f"load-{i}" for i in range(5)]
CAPABILITIES = ["qemu_img", "nbd_access", "lvm_tools", "mount_operations", "selinux_tools"]
OPERATIONS = ["convert", "inspect", "offline_fix", "fs_repair", "lvm_repair"]
ENDS = ["COMPLETED", "FAILED", "CANCELLED"]

printing = threading.Lock()
stop = threading.Event()


def say(**what):
    with printing:
        print(json.dumps(what), flush=True)


def call(method, path, body=None):
    """Until there is an answer: (status, JSON)"""
    give_up = time.monotonic() + 90
    while time.monotonic() < give_up:
        connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=40)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status < 500:
                return answer.status, json.loads(text)
        except (OSError, http.client.HTTPException):
            pass  # killed while it was at it
        finally:
            connection.close()
        time.sleep(0.05)
    raise SystemExit(f"no answer in 90 s to {method} {path}")


def expect(allowed, status, answer, what):
    if status not in allowed:
        say(wrong=f"{what}: {status} {answer}")


def register(name):
    expect([201], *call("POST", "/workers/register", {"worker_id": name, "capabilities": CAPABILITIES}), "a registration")


# --- the load --------------------------------------------------------------------------------------------------------


def submit_all(name, dice):
    n = 0
    while not stop.is_set():
        n += 1
        job = f"{name}-{n}"
        spec = {
            "job_id": job,
            "operation": dice.choice(OPERATIONS),
            "image": {"path": f"/srv/not-here/{job}.raw", "format": "raw"},
            "execution_policy": {
                "priority": dice.randrange(101),
                "retry_count": dice.randrange(3),
                "idempotent": dice.random() < 0.7,
            },
        }
        status, answer = call("POST", "/jobs?queue=true", spec)
        # The answer to the first try was lost, and meanwhile the job has failed.
        failed = status == 409 and "exists already and failed" in str(answer)
        if not failed:
            expect([200, 201], status, answer, "a submission")
        if failed or status in (200, 201):
            say(did="accepted", job=job)
        if dice.random() < 0.1:
            status, answer = call("DELETE", f"/jobs/{job}")
            expect([200, 400], status, answer, "a cancel")
            if status == 200:
                say(did="cancelled", job=job)
        time.sleep(dice.random() * 0.05)


def carry_out(worker, job, dice):
    for _ in range(dice.randrange(3)):
        events = [{"worker_id": worker, "phase": "conversion", "percentage": dice.randrange(101)} for _ in range(dice.randrange(1, 4))]
        status, answer = call("POST", f"/jobs/{job}/events", events)
        expect([202, 409], status, answer, "a report")
        if status == 409:
            return
    result = "failed" if dice.random() < 0.2 else "completed"
    status, answer = call("POST", f"/jobs/{job}/result", {"worker_id": worker, "status": result})
    expect([200, 409], status, answer, "a result")
    if status == 200:
        say(did="reported", job=job, worker=worker, result=result)


def work(worker, dice):
    register(worker)
    while not stop.is_set():
        question = {"worker_id": worker}
        if dice.random() < 0.3:
            question["wait"] = 2
        status, job = call("POST", "/queue/dequeue", question)
        expect([200], status, job, "a dequeue")
        if status == 200 and job:
            say(did="took", job=job["job_id"], worker=worker)
            if dice.random() < 0.95:  # else it forgets it
                carry_out(worker, job["job_id"], dice)
        elif status == 200:
            call("POST", f"/workers/{worker}/heartbeat")
            time.sleep(0.02)


def kill(dice):
    while not stop.is_set():
        time.sleep(dice.random() * 1.5)
        unit = dice.choice(["hyper-managerd.service", "hyper.service"])
        pid = int(subprocess.run(["systemctl", "show", "-P", "MainPID", unit], capture_output=True, text=True).stdout or 0)
        if pid > 0:
            try:
                os.kill(pid, signal.SIGKILL)
                say(did="killed", unit=unit)
            except ProcessLookupError:
                pass
        subprocess.run(["systemctl", "reset-failed", unit], capture_output=True)


def run(seconds, seed, with_kill):
    for worker in WORKERS:
        register(worker)
    threads = [threading.Thread(target=submit_all, args=(f"{seed}-{i}", random.Random(f"{seed}s{i}"))) for i in range(3)]
    threads += [threading.Thread(target=work, args=(w, random.Random(f"{seed}{w}"))) for w in WORKERS]
    if with_kill:
        threads.append(threading.Thread(target=kill, args=(random.Random(f"{seed}kill"),)))
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()


# --- afterwards ------------------------------------------------------------------------------------------------------


def settle():
    give_up = time.monotonic() + 90
    for worker in WORKERS:
        register(worker)
    while time.monotonic() < give_up:
        for worker in WORKERS:
            while True:
                held = call("POST", f"/workers/{worker}/heartbeat")[1]["jobs"]
                job = call("POST", "/queue/dequeue", {"worker_id": worker})[1]
                if job:
                    say(did="took", job=job["job_id"], worker=worker)
                    held.append(job["job_id"])
                for h in held:
                    if call("POST", f"/jobs/{h}/result", {"worker_id": worker, "status": "completed"})[0] == 200:
                        say(did="reported", job=h, worker=worker, result="completed")
                if not held:
                    break
        states = ("CREATED", "VALIDATED", "QUEUED", "ASSIGNED", "RUNNING", "RETRYING")
        if sum(call("GET", f"/jobs?state={s}&limit=1")[1]["total"] for s in states) == 0:
            return
        time.sleep(0.2)
    raise SystemExit("after 90 s there are still jobs that have not ended")


def read_jobs():
    db = sqlite3.connect("file:/var/lib/hyper/hyper.db?mode=ro", uri=True)
    jobs = {i: {"state": s, "attempt": a, "history": []} for i, s, a in db.execute("SELECT id, state, attempt FROM jobs")}
    rows = db.execute("SELECT j.id, h.state, h.reason FROM job_states h JOIN jobs j ON j.seq = h.job_seq ORDER BY h.seq")
    for job, state, reason in rows:
        jobs[job]["history"].append((state, reason))
    return jobs


def check_history(name, job, wrong):
    states = [s for s, _ in job["history"]]
    if states[-1] != job["state"] or job["state"] not in ENDS:
        wrong(f"{name} is {job['state']} after {states}")
    if sum(s in ENDS for s in states) != 1:
        wrong(f"{name} has not ended once: {states}")
    if states.count("ASSIGNED") != job["attempt"]:
        wrong(f"{name} is in attempt {job['attempt']} after {states}")
    held = False
    for state, reason in job["history"]:
        if state == "ASSIGNED" and held:
            wrong(f"{name} was given away while it was held: {job['history']}")
        held = state in ("ASSIGNED", "RUNNING")


def check(log):
    jobs, mistakes = read_jobs(), []
    wrong = mistakes.append
    lines = []
    with open(log) as f:
        for line in f:
            if line.endswith("\n"):  # what was cut off with the power was not heard
                lines.append(json.loads(line))
    count = {}
    for line in lines:
        if "wrong" in line:
            wrong(f"answered: {line['wrong']}")
            continue
        count[line["did"]] = count.get(line["did"], 0) + 1
        if line["did"] == "killed":
            continue
        job = jobs.get(line["job"])
        if not job:
            wrong(f"{line['job']} was {line['did']}, and is not there")
            continue
        if line["did"] == "cancelled" and job["state"] != "CANCELLED":
            wrong(f"{line['job']} was cancelled, and is {job['state']}")
        if line["did"] == "reported" and line["result"] == "completed":
            if job["history"][-1] != ("COMPLETED", f"Completed by worker {line['worker']}"):
                wrong(f"{line['job']} was completed by {line['worker']}, and ended so: {job['history'][-1]}")
    for name, job in jobs.items():
        check_history(name, job, wrong)
        given = [r.rsplit(" ", 1)[1] for s, r in job["history"] if s == "ASSIGNED" and r.startswith("Assigned to worker ")]
        for worker in WORKERS:
            taken = sum(x.get("did") == "took" and x["job"] == name and x["worker"] == worker for x in by_job(lines).get(name, []))
            if taken > given.count(worker):
                wrong(f"{worker} was given {name} {taken} times, which is recorded {given.count(worker)} times")
    print(json.dumps({"jobs": len(jobs), **count, "ends": {e: sum(j["state"] == e for j in jobs.values()) for e in ENDS}}))
    for mistake in mistakes[:20]:
        print("WRONG", mistake)
    sys.exit(1 if mistakes else 0)


index = {}


def by_job(lines):
    if not index:
        for line in lines:
            index.setdefault(line.get("job"), []).append(line)
    return index


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(float(sys.argv[2]), sys.argv[3], "kill" in sys.argv[4:])
    elif sys.argv[1] == "settle":
        settle()
    else:
        check(sys.argv[2])
