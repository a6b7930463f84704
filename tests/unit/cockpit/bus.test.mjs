// SPDX-License-Identifier: LGPL-2.1-or-later

import assert from "node:assert/strict";
import test from "node:test";
import * as hyper from "../../../src/cockpit/bus.js";
import { busError, fakeCockpit } from "./fake-cockpit.mjs";

const MANAGER = "org.hyper1.Manager";
const PROPERTIES = "org.freedesktop.DBus.Properties";
const UNKNOWN = 2 ** 64; // or -1
const path = id => "/org/hyper1/job/" + id;
const row = (id, state, created, percent = -1) => [
    id,
    path(id),
    "convert",
    state,
    "",
    percent,
    created,
    0,
    "",
    0,
    UNKNOWN,
    0,
    "alice",
];

// A manager with a table of jobs.
function manager(jobs) {
    const listJobs = filter => {
        let rows = [...jobs.values()].sort((a, b) => b[6] - a[6]);
        if (filter.states) rows = rows.filter(r => filter.states.v.includes(r[3]));
        if (filter.ids) rows = rows.filter(r => filter.ids.v.includes(r[0]));
        return [rows.length, rows.slice(0, filter.limit.v)];
    };
    return { ListJobs: listJobs };
}

// A function to pass as changed(), and one that waits until it was called with what is expected.
function observer() {
    let last;
    let waiting = null;
    return {
        changed(value) {
            last = value;
            waiting?.();
        },
        until(condition) {
            return new Promise(resolve => {
                waiting = () => {
                    if (last !== undefined && condition(last)) {
                        waiting = null;
                        resolve(last);
                    }
                };
                waiting();
            });
        },
    };
}

test("signals are subscribed to before jobs are listed", async () => {
    const cockpit = fakeCockpit(manager(new Map([["a", row("a", "RUNNING", 1)]])));
    const seen = observer();
    const jobs = hyper.followJobs(hyper.openBus(cockpit), seen.changed, { delay: 0 });
    await seen.until(({ jobs }) => jobs.length === 1);
    assert.ok(
        cockpit.calls.findLastIndex(c => c.member === "subscribe") <
            cockpit.calls.findIndex(c => c.member === "ListJobs"),
    );
    assert.deepEqual(cockpit.opened, [{ name: "org.hyper1", bus: "system", superuser: "try" }]);
    jobs.stop();
    assert.equal(cockpit.subscriptions.size, 0);
    assert.equal(cockpit.owners.size, 0);
});

test("a new job and a change of state are shown with one call each, progress with none", async () => {
    const table = new Map();
    const cockpit = fakeCockpit(manager(table));
    const seen = observer();
    const jobs = hyper.followJobs(hyper.openBus(cockpit), seen.changed, { delay: 0 });
    await seen.until(({ jobs, error }) => jobs.length === 0 && !error);

    table.set("a", row("a", "QUEUED", 1));
    cockpit.emit("/org/hyper1", MANAGER, "JobNew", ["a", path("a")]);
    let { total } = await seen.until(({ jobs }) => jobs[0]?.id === "a");
    assert.equal(total, 1);
    assert.equal(cockpit.count("ListJobs"), 3);

    cockpit.emit(path("a"), PROPERTIES, "PropertiesChanged", [
        "org.hyper1.Job",
        { Percent: { v: 42 }, Rate: { v: 1e6 }, RemainingUSec: { v: 5e6 } },
        [],
    ]);
    const {
        jobs: [running],
    } = await seen.until(({ jobs }) => jobs[0].percent === 42);
    assert.equal(running.rate, 1e6);
    assert.equal(running.remaining, 5e6);
    assert.equal(cockpit.count("ListJobs"), 3);

    table.set("a", Object.assign(row("a", "FAILED", 1), { 7: 99 }));
    cockpit.emit("/org/hyper1", MANAGER, "JobStateChanged", ["a", path("a"), "RUNNING", "FAILED", "why"]);
    const {
        jobs: [failed],
    } = await seen.until(({ jobs }) => jobs[0].state === "FAILED");
    assert.equal(failed.reason, "why");
    await seen.until(({ jobs }) => jobs[0].finished === 99);
    assert.equal(cockpit.count("ListJobs"), 4);
    jobs.stop();
});

test("many signals within a moment are one call", async () => {
    const table = new Map();
    const cockpit = fakeCockpit(manager(table));
    const seen = observer();
    const jobs = hyper.followJobs(hyper.openBus(cockpit), seen.changed, { delay: 0 });
    await seen.until(({ error }) => !error);
    for (let i = 0; i < 250; i++) {
        table.set("j" + i, row("j" + i, "QUEUED", i));
        cockpit.emit("/org/hyper1", MANAGER, "JobNew", ["j" + i, path("j" + i)]);
    }
    await seen.until(({ jobs }) => jobs.length === 250);
    assert.equal(cockpit.count("ListJobs"), 2 + 3);
    jobs.stop();
});

test("jobs are listed again when the manager was started again, and not when it ends", async () => {
    const table = new Map([
        ["a", row("a", "RUNNING", 1)],
        ["b", row("b", "RUNNING", 2)],
    ]);
    const cockpit = fakeCockpit(manager(table));
    const seen = observer();
    const jobs = hyper.followJobs(hyper.openBus(cockpit), seen.changed, { delay: 0 });
    await seen.until(({ jobs }) => jobs.length === 2);
    cockpit.owner(null);
    table.set("a", row("a", "COMPLETED", 1));
    table.delete("b");
    cockpit.owner(":1.7");
    await seen.until(({ jobs }) => jobs.length === 1 && jobs[0].state === "COMPLETED");
    assert.equal(cockpit.count("ListJobs"), 4);
    jobs.stop();
});

test("jobs are counted that are too many to be listed", async () => {
    const table = new Map();
    for (let i = 0; i < 1500; i++) table.set("j" + i, row("j" + i, "QUEUED", i));
    const seen = observer();
    const jobs = hyper.followJobs(hyper.openBus(fakeCockpit(manager(table))), seen.changed, { delay: 0 });
    const { total } = await seen.until(({ jobs }) => jobs.length === 1000);
    assert.equal(total, 1500);
    jobs.stop();
});

test("a list that has failed is asked for again", async () => {
    const table = new Map([["a", row("a", "RUNNING", 1)]]);
    const { ListJobs } = manager(table);
    let fails = 1;
    const cockpit = fakeCockpit({
        ListJobs(filter) {
            if (filter.ids && fails-- > 0) throw busError("org.freedesktop.DBus.Error.NoReply", "no reply");
            return ListJobs(filter);
        },
    });
    const seen = observer();
    const jobs = hyper.followJobs(hyper.openBus(cockpit), seen.changed, { delay: 0 });
    await seen.until(({ jobs }) => jobs.length === 1);
    table.set("b", row("b", "QUEUED", 2));
    cockpit.emit("/org/hyper1", MANAGER, "JobNew", ["b", path("b")]);
    const { error } = await seen.until(({ jobs }) => jobs.length === 2);
    assert.equal(error, null);
    jobs.stop();
});

test("older jobs are listed on request only", async () => {
    const table = new Map();
    for (let i = 0; i < 1000; i++) table.set("j" + i, row("j" + i, i % 2 ? "COMPLETED" : "FAILED", i));
    const cockpit = fakeCockpit(manager(table));
    const seen = observer();
    const jobs = hyper.followJobs(hyper.openBus(cockpit), seen.changed, { delay: 0, page: 100 });
    const { total } = await seen.until(({ jobs }) => jobs.length === 100);
    assert.equal(total, 1000);
    jobs.more();
    const { jobs: list } = await seen.until(({ jobs }) => jobs.length === 200);
    assert.equal(list[0].id, "j999");
    jobs.stop();
});

test("jobs that run are first, and finished ones last", () => {
    const job = (id, state, created) => ({ id, state, created });
    assert.deepEqual(
        hyper
            .sortJobs([
                job("a", "FAILED", 9),
                job("b", "QUEUED", 8),
                job("c", "RUNNING", 1),
                job("d", "COMPLETED", 2),
                job("e", "RETRYING", 3),
            ])
            .map(j => j.id),
        ["c", "b", "e", "a", "d"],
    );
});

test("a user without a role gets an error that says so", async () => {
    const denied = () => {
        throw busError("org.freedesktop.DBus.Error.AccessDenied", "Rejected send message");
    };
    const seen = observer();
    const jobs = hyper.followJobs(hyper.openBus(fakeCockpit({ ListJobs: denied })), seen.changed, {
        delay: 0,
    });
    const { error } = await seen.until(({ error }) => error);
    assert.equal(error.kind, "no-role");
    jobs.stop();
});

test("errors name what they are about", () => {
    const describe = (name, message) => hyper.describeError(busError(name, message));
    assert.equal(describe("org.hyper1.Error.AccessDenied", "polkit says no").kind, "not-permitted");
    assert.equal(describe("org.freedesktop.DBus.Error.ServiceUnknown", "gone").kind, "not-available");
    assert.equal(hyper.describeError({ problem: "terminated" }).kind, "not-available");
    const refused = describe("org.hyper1.Error.PathRefused", "destination.path: /x: may not be here");
    assert.deepEqual(refused.fields, { "destination.path": "/x: may not be here" });
    assert.deepEqual(describe("org.hyper1.Error.WrongState", "The job runs: a second is refused").fields, {});
    const invalid = describe(
        "org.hyper1.Error.InvalidSpec",
        "source.path: does not exist\ndestination.path: exists: choose another",
    );
    assert.deepEqual(invalid.fields, {
        "source.path": "does not exist",
        "destination.path": "exists: choose another",
    });
});

test("a job is followed with its log, whose pages are read to the end", async () => {
    const details = { job_id: "a", state: "RUNNING", progress: { phase: "conversion", percent: 1 } };
    const log = Array.from({ length: 1500 }, (_, i) => ({ timestamp: i, message: "entry " + i }));
    const cockpit = fakeCockpit({
        GetJob: () => [path("a"), JSON.stringify(details)],
        GetJobLog: (id, { cursor, limit }) => {
            const from = Number(cursor?.v || 0);
            const page = log.slice(from, from + limit.v);
            return [JSON.stringify(page), String(from + page.length)];
        },
    });
    const seen = observer();
    const stop = hyper.followJob(hyper.openBus(cockpit), "a", seen.changed, { delay: 0 });
    const { job } = await seen.until(({ job, entries }) => job && entries.length === 1500);
    assert.equal(job.path, path("a"));

    cockpit.emit(path("b"), PROPERTIES, "PropertiesChanged", ["org.hyper1.Job", { Percent: { v: 99 } }, []]);
    cockpit.emit(path("a"), PROPERTIES, "PropertiesChanged", [
        "org.hyper1.Job",
        { Percent: { v: 50 }, RemainingUSec: { v: UNKNOWN } },
        [],
    ]);
    const { job: half } = await seen.until(({ job }) => job.progress.percent === 50);
    assert.equal(half.progress.phase, "conversion");
    assert.equal(half.progress.remaining_usec, null);

    log.push({ timestamp: 1500, message: "completed" });
    details.state = "COMPLETED";
    cockpit.emit("/org/hyper1", MANAGER, "JobStateChanged", ["a", path("a"), "RUNNING", "COMPLETED", ""]);
    const { entries } = await seen.until(
        ({ job, entries }) => job.state === "COMPLETED" && entries.at(-1).message === "completed",
    );
    assert.equal(entries.length, 1501);
    stop();
    assert.equal(cockpit.subscriptions.size, 0);
});

test("a job that does not exist is an error", async () => {
    const missing = () => {
        throw busError("org.hyper1.Error.NoSuchJob", "No job a");
    };
    const seen = observer();
    const stop = hyper.followJob(
        hyper.openBus(fakeCockpit({ GetJob: missing, GetJobLog: missing })),
        "a",
        seen.changed,
        { delay: 0 },
    );
    const { job, error } = await seen.until(({ error }) => error);
    assert.equal(job, null);
    assert.equal(error.message, "No job a");
    stop();
});

test("other lists are read again after a signal", async () => {
    let runs = 0;
    const cockpit = fakeCockpit({
        ListSchedules: () => [
            1,
            [["s", "/org/hyper1/schedule/s", "nightly", "@daily", true, 0, 5, runs++, ""]],
        ],
    });
    const seen = observer();
    const bus = hyper.openBus(cockpit);
    const list = hyper.followList(
        bus,
        "manager",
        [hyper.MANAGER_SIGNALS],
        () => hyper.listSchedules(bus),
        seen.changed,
        { delay: 0 },
    );
    await seen.until(({ value }) => value?.schedules[0].runs === 0);
    cockpit.emit("/org/hyper1", MANAGER, "ScheduleChanged", ["s", "/org/hyper1/schedule/s"]);
    const { value } = await seen.until(({ value }) => value?.schedules[0].runs === 1);
    assert.equal(value.schedules[0].next, 5);
    list.stop();
});

test("the virtual machines of a server are read page by page", async () => {
    const pages = { "": [[{ name: "a" }, { name: "b" }], "next"], next: [[{ name: "c" }], ""] };
    const cockpit = fakeCockpit({
        ListVMs: (source, filter, limit, cursor) => [
            JSON.stringify(pages[cursor][0]),
            pages[cursor][1],
            3,
            0,
        ],
    });
    assert.deepEqual(
        (await hyper.listSourceVms(hyper.openBus(cockpit), "vc")).map(vm => vm.name),
        ["a", "b", "c"],
    );
});

test("a virtual machine is started on the host that has it", async () => {
    const object = "/org/hyper1/hosts/local/vm/u1";
    const cockpit = fakeCockpit({
        ListVms: () => [1, [["local", object, "u1", "web", "", "shutoff", 2, 1 << 30]]],
        Start: () => [],
    });
    const bus = hyper.openBus(cockpit);
    await hyper.startVm(bus, "u1");
    assert.equal(cockpit.calls.at(-1).path, object);
    await assert.rejects(hyper.startVm(bus, "u2"), e => hyper.describeError(e).kind === "no-host");
});
