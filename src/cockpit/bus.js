// SPDX-License-Identifier: LGPL-2.1-or-later
//
// All that speaks to the bus. It has no user interface, and gets cockpit as an argument, so that it is tested
// with another one. Signals are subscribed to first, and lists are requested afterwards, so no change is
// missed. Nothing is requested again without a signal: the services exit when they are idle.

const PROPERTIES = "org.freedesktop.DBus.Properties";
const ROOT = "/org/hyper1";
const TIMEOUT = 120000; // milliseconds; logging in to a server takes longer than the default
const LOG_PAGE = 1000; // so many entries of a log are requested with one call
const IDS_MAX = 100; // at most so many jobs are requested with one call

const SERVICES = {
    manager: { name: "org.hyper1", path: ROOT, interface: "org.hyper1.Manager" },
    hosts: { name: "org.hyper1.Hosts", path: "/org/hyper1/hosts", interface: "org.hyper1.Hosts.Manager" },
    vsphere: { name: "org.hyper1.VSphere", path: "/org/hyper1/vsphere", interface: "org.hyper1.VSphere" },
};

// The types of the arguments of each method. With them, the bridge does not introspect the service, which
// a user without a role may not do, and whose error would not say why.
export const TYPES = {
    "org.hyper1.Manager": {
        SubmitJob: "sa{sv}",
        GetJob: "s",
        GetJobLog: "sa{sv}",
        ListJobs: "a{sv}",
        CancelJob: "s",
        RetryJob: "sa{sv}",
        InspectSource: "sa{sv}",
        InspectDestination: "sta{sv}",
        ListFiles: "s",
        DeployVm: "s",
        ListSources: "",
        AddSource: "ss",
        RemoveSource: "s",
        ListSchedules: "tt",
        CreateSchedule: "sa{sv}",
        EnableSchedule: "s",
        DisableSchedule: "s",
        TriggerSchedule: "sa{sv}",
        DeleteSchedule: "s",
        ListWorkers: "",
        QueueStatus: "",
        UnregisterWorker: "s",
        ListKeys: "",
        AddKey: "s",
        RemoveKey: "s",
        ListWebhooks: "",
        AddWebhook: "sa{sv}",
        RemoveWebhook: "u",
        TestWebhook: "s",
        GetConfig: "",
        Reload: "",
    },
    "org.hyper1.Job": { SetCutover: "s", Release: "", Screenshot: "" },
    "org.hyper1.Hosts.Manager": { ListHosts: "", AddHost: "sa{sv}", RemoveHost: "s", ListVms: "stt" },
    "org.hyper1.Hosts.Host": { Connect: "" },
    "org.hyper1.Hosts.Vm": { Start: "" },
    "org.hyper1.VSphere": { ListVMs: "ssus", TestSource: "s" },
    "org.freedesktop.DBus.Properties": { Get: "ss" },
};

export const FINAL = ["COMPLETED", "FAILED", "CANCELLED"];
export const UNFINISHED = ["CREATED", "VALIDATED", "QUEUED", "ASSIGNED", "RUNNING", "RETRYING"];

// Of startVm(): the host must be known to hyper-hostd.
const NO_HOST_HAS_IT = "org.hyper1.Error.NoSuchVm";

// What an error means to the page: its kind decides what is offered, fields are those of a job spec.
export function describeError(error) {
    const name = error?.name || "";
    const message = error?.message || error?.problem || String(error);
    const lines = message.split("\n").map(line => /^([a-z_0-9]+(?:\.[a-z_0-9]+)*): (.+)$/.exec(line));
    const fields =
        name.startsWith("org.hyper1.Error.") && lines.every(Boolean)
            ? Object.fromEntries(lines.map(([, field, text]) => [field, text]))
            : {};
    let kind = "other";

    if (name === "org.freedesktop.DBus.Error.AccessDenied") kind = "no-role";
    else if (name === NO_HOST_HAS_IT) kind = "no-host";
    else if (name === "org.hyper1.Error.AccessDenied" || /InteractiveAuthorizationRequired$/.test(name))
        kind = "not-permitted";
    else if (
        /Error\.(ServiceUnknown|Spawn\.|NameHasNoOwner|NoReply|Timeout)/.test(name) ||
        ["not-found", "disconnected", "terminated"].includes(error?.problem)
    )
        kind = "not-available";
    return { kind, message, fields };
}

export function openBus(cockpit, superuser = "try") {
    const clients = {};

    function client(service) {
        clients[service] ??= cockpit.dbus(SERVICES[service].name, { bus: "system", superuser });
        return clients[service];
    }

    function callObject(service, path, iface, method, ...args) {
        return client(service).call(path, iface, method, args, {
            timeout: TIMEOUT,
            type: TYPES[iface][method],
        });
    }

    function call(service, method, ...args) {
        const { path, interface: iface } = SERVICES[service];
        return callObject(service, path, iface, method, ...args);
    }

    function options(values) {
        const result = {};
        for (const [key, [type, value]] of Object.entries(values)) result[key] = cockpit.variant(type, value);
        return result;
    }

    // Call listed() now, and whenever the service has another owner: it exits when it is idle, and a change
    // may have been missed meanwhile. signal(path, interface, member, args) is called for each signal.
    function follow(service, matches, signal, listed) {
        const c = client(service);
        let gone = false;
        const subscriptions = matches.map(match => c.subscribe(match, (...args) => gone || signal(...args)));
        const owner = (event, name) => {
            if (name && !gone) listed();
        };

        c.addEventListener("owner", owner);
        listed();
        return () => {
            gone = true;
            subscriptions.forEach(s => s.remove());
            c.removeEventListener("owner", owner);
        };
    }

    function close() {
        Object.values(clients).forEach(c => c.close());
    }

    return { client, call, callObject, options, follow, close };
}

// Calls that are requested while one is under way, or within a moment, are one call.
function coalesce(run, delay) {
    let timer = null;
    let running = false;
    let again = false;

    async function fire() {
        timer = null;
        if (running) {
            again = true;
            return;
        }
        running = true;
        await run();
        running = false;
        if (again) {
            again = false;
            fire();
        }
    }
    const request = () => {
        timer ??= setTimeout(fire, delay);
    };
    request.cancel = () => clearTimeout(timer);
    return request;
}

// 64-bit numbers arrive as JavaScript numbers; UINT64_MAX, which stands for unknown, is not exact any more,
// and -1 from some bridges.
const known = usec => (usec !== undefined && usec >= 0 && usec < 2 ** 63 ? usec : null);

function jobOfRow([
    id,
    path,
    operation,
    state,
    phase,
    percent,
    created,
    finished,
    reason,
    rate,
    remaining,
    bytes,
    submitter,
]) {
    return {
        id,
        path,
        operation,
        state,
        phase,
        percent,
        created,
        finished,
        reason,
        rate,
        remaining: known(remaining),
        bytes,
        submitter,
    };
}

// PropertiesChanged of a job, as far as a list shows it.
const JOB_PROPERTIES = {
    State: "state",
    Reason: "reason",
    Phase: "phase",
    Percent: "percent",
    Rate: "rate",
    RemainingUSec: "remaining",
    FinishedUSec: "finished",
};

function applyProperties(job, properties) {
    const changed = { ...job };
    for (const [name, value] of Object.entries(properties))
        if (JOB_PROPERTIES[name])
            changed[JOB_PROPERTIES[name]] = name === "RemainingUSec" ? known(value.v) : value.v;
    return changed;
}

// Unfinished jobs come first, then those that ended last.
export function sortJobs(jobs) {
    const over = job => (FINAL.includes(job.state) ? 1 : 0);
    const running = job => (job.state === "RUNNING" ? 0 : 1);
    return jobs.sort((a, b) => over(a) - over(b) || running(a) - running(b) || b.created - a.created);
}

// Follow the list of jobs: all unfinished ones, and the newest that have ended. changed({ jobs, total,
// error }) is called with sorted jobs; total is the number of all jobs. Returns { stop, more }; more()
// shows older ones.
export function followJobs(bus, changed, { page = 100, delay = 30 } = {}) {
    const jobs = new Map(); // path -> job
    const wanted = new Set(); // IDs to request
    let limit = page;
    let total = 0;
    let error = null;
    let stopped = false;

    const tell = coalesce(async () => {
        if (!stopped) changed({ jobs: error ? [] : sortJobs([...jobs.values()]), total, error });
    }, delay);
    const add = rows => rows.map(jobOfRow).forEach(job => jobs.set(job.path, job));
    const query = filter => bus.call("manager", "ListJobs", bus.options(filter));
    const failed = e => {
        error = describeError(e);
        tell();
    };

    async function listAll() {
        try {
            const [[unfinishedTotal, unfinished], [finishedTotal, finished]] = await Promise.all([
                query({ states: ["as", UNFINISHED], order: ["s", "newest"], limit: ["t", 1000] }),
                query({ states: ["as", FINAL], order: ["s", "newest"], limit: ["t", limit] }),
            ]);
            jobs.clear();
            add([...finished, ...unfinished]);
            total = finishedTotal + unfinishedTotal;
            error = null;
            tell();
        } catch (e) {
            failed(e);
        }
    }

    async function listSome() {
        const ids = [...wanted].slice(0, IDS_MAX);
        ids.forEach(id => wanted.delete(id));
        try {
            const [, rows] = await query({ ids: ["as", ids], limit: ["t", IDS_MAX] });
            total += rows.filter(row => !jobs.has(row[1])).length;
            add(rows);
            tell();
        } catch {
            requestAll(); // which tells what is wrong, if it still is
        }
        if (wanted.size > 0) requestSome();
    }
    const requestAll = coalesce(listAll, 0);
    const requestSome = coalesce(listSome, delay);

    const stop = bus.follow(
        "manager",
        [
            { interface: SERVICES.manager.interface, path: ROOT },
            { interface: PROPERTIES, member: "PropertiesChanged", path_namespace: ROOT + "/job" },
        ],
        (path, iface, signal, args) => {
            if (signal === "JobNew" || signal === "JobStateChanged") {
                const [id, object, , state, reason] = args;
                if (signal === "JobStateChanged" && jobs.has(object)) {
                    jobs.set(object, { ...jobs.get(object), state, reason });
                    tell();
                }
                wanted.add(id);
                requestSome();
            } else if (signal === "PropertiesChanged" && jobs.has(path)) {
                jobs.set(path, applyProperties(jobs.get(path), args[1]));
                tell();
            }
        },
        requestAll,
    );

    return {
        stop() {
            stopped = true;
            [tell, requestAll, requestSome].forEach(c => c.cancel());
            stop();
        },
        more() {
            limit += page;
            requestAll();
        },
    };
}

// Follow one job. changed({ job, entries, error }): job is what GetJob returns, with path; entries are
// those of its log. The log is requested again when something has happened to the job.
export function followJob(bus, id, changed, { delay = 30 } = {}) {
    let job = null;
    let entries = [];
    let cursor = "";
    let error = null;
    let stopped = false;
    let stop = null;

    const tell = () => stopped || changed({ job, entries, error });

    async function read() {
        try {
            const [path, details] = await bus.call("manager", "GetJob", id);
            job = { ...JSON.parse(details), path };
            error = null;
        } catch (e) {
            error = describeError(e);
        }
        tell();
    }

    async function readLog() {
        try {
            for (let more = true; more && !stopped;) {
                const [text, next] = await bus.call(
                    "manager",
                    "GetJobLog",
                    id,
                    bus.options({ limit: ["t", LOG_PAGE], ...(cursor && { cursor: ["s", cursor] }) }),
                );
                const page = JSON.parse(text);
                entries = [...entries, ...page];
                more = page.length === LOG_PAGE;
                cursor = next;
            }
        } catch (e) {
            error = describeError(e);
        }
        tell();
    }
    const requestRead = coalesce(read, delay);
    const requestLog = coalesce(readLog, delay);

    stop = bus.follow(
        "manager",
        [
            { interface: SERVICES.manager.interface, path: ROOT, arg0: id },
            { interface: PROPERTIES, member: "PropertiesChanged", path_namespace: ROOT + "/job" },
        ],
        (path, iface, signal, args) => {
            if (signal === "JobStateChanged" && args[0] === id) {
                requestRead();
                requestLog();
            } else if (signal === "PropertiesChanged" && path === job?.path) {
                const p = args[1];
                const progress = { ...job.progress };
                if (p.Phase && p.Phase.v !== progress.phase) requestLog();
                if (p.Phase) progress.phase = p.Phase.v;
                if (p.Percent) progress.percent = p.Percent.v;
                if (p.BytesDone) progress.bytes_done = p.BytesDone.v;
                if (p.BytesTotal) progress.bytes_total = p.BytesTotal.v;
                if (p.Rate) progress.rate = p.Rate.v;
                if (p.RemainingUSec) progress.remaining_usec = known(p.RemainingUSec.v);
                job = { ...job, progress };
                if (p.Result || p.Warm || p.FinishedUSec) requestRead();
                tell();
            }
        },
        () => {
            requestRead();
            requestLog();
        },
    );

    return () => {
        stopped = true;
        [requestRead, requestLog].forEach(c => c.cancel());
        stop();
    };
}

// Follow anything that is requested as a whole: load() returns it, and is called again after each signal.
export function followList(bus, service, matches, load, changed, { delay = 30 } = {}) {
    let stopped = false;
    const request = coalesce(async () => {
        try {
            const value = await load();
            if (!stopped) changed({ value, error: null });
        } catch (e) {
            if (!stopped) changed({ value: null, error: describeError(e) });
        }
    }, delay);
    const stop = bus.follow(service, matches, request, request);

    return {
        stop() {
            stopped = true;
            request.cancel();
            stop();
        },
        again: request,
    };
}

// --- calls, each with the arguments that the page has ---
// ---------------------------------------------------------

const parsed = async promise => JSON.parse((await promise)[0]);

export const submitJob = async (bus, spec) =>
    (await bus.call("manager", "SubmitJob", JSON.stringify(spec), {}))[0];
export const cancelJob = (bus, id) => bus.call("manager", "CancelJob", id);
export const retryJob = (bus, id) => bus.call("manager", "RetryJob", id, {});
export const setCutover = (bus, path, when) =>
    bus.callObject("manager", path, "org.hyper1.Job", "SetCutover", when);
export const releaseJob = (bus, path) => bus.callObject("manager", path, "org.hyper1.Job", "Release");
// The picture in base64, as cockpit passes bytes.
export const screenshot = async (bus, path) =>
    (await bus.callObject("manager", path, "org.hyper1.Job", "Screenshot"))[0];
export const deployVm = (bus, definition) =>
    parsed(bus.call("manager", "DeployVm", JSON.stringify(definition)));

// What is in a source of a job, and its concerns.
export const inspectSource = (bus, source) =>
    parsed(bus.call("manager", "InspectSource", JSON.stringify(source), {}));
export const inspectDestination = (bus, destination, size) =>
    parsed(bus.call("manager", "InspectDestination", JSON.stringify(destination), size, {}));
export const getConfig = (bus, service) => parsed(bus.call(service, "GetConfig"));

export async function listFiles(bus, path) {
    const [, entries] = await bus.call("manager", "ListFiles", path);
    return entries.map(([name, directory, size, changed]) => ({ name, directory, size, changed }));
}

export async function listSchedules(bus) {
    const [total, rows] = await bus.call("manager", "ListSchedules", 0, 1000);
    const scheduleOfRow = ([id, path, name, schedule, enabled, last, next, runs, status, submitter]) => ({
        id,
        path,
        name,
        schedule,
        enabled,
        last,
        next,
        runs,
        status,
        submitter,
    });
    return { total, schedules: rows.map(scheduleOfRow) };
}

export async function listWorkers(bus) {
    const [workers, [queued]] = await Promise.all([
        parsed(bus.call("manager", "ListWorkers")),
        bus.call("manager", "QueueStatus"),
    ]);
    return { workers, queued };
}

export const listSources = bus => parsed(bus.call("manager", "ListSources"));
export const listKeys = bus => parsed(bus.call("manager", "ListKeys"));
export const listWebhooks = bus => parsed(bus.call("manager", "ListWebhooks"));
export const testSource = (bus, name) => parsed(bus.call("vsphere", "TestSource", JSON.stringify({ name })));

// All VMs of a vCenter or ESXi host.
export async function listSourceVms(bus, name) {
    const vms = [];
    let cursor = "";
    do {
        const [text, next] = await bus.call("vsphere", "ListVMs", JSON.stringify({ name }), "", 1000, cursor);
        vms.push(...JSON.parse(text));
        cursor = next;
    } while (cursor);
    return vms;
}

export async function listHosts(bus) {
    const [rows] = await bus.call("hosts", "ListHosts");
    return rows.map(([id, path, uri, name, state, error, vms]) => ({
        id,
        path,
        uri,
        name,
        state,
        error,
        vms,
    }));
}

export async function listHostVms(bus, host) {
    const [, rows] = await bus.call("hosts", "ListVms", host, 0, 1000);
    return rows.map(([, path, uuid, name, description, state, cpus, memory, concerns]) => ({
        path,
        uuid,
        name,
        description,
        state,
        cpus,
        memory,
        concerns: JSON.parse(concerns || "[]"),
    }));
}

// Start the VM with this UUID on the libvirt host that has it.
export async function startVm(bus, uuid) {
    const [, rows] = await bus.call("hosts", "ListVms", "", 0, 1000);
    const row = rows.find(r => r[2] === uuid);
    if (!row)
        throw Object.assign(new Error("no host has it"), { name: NO_HOST_HAS_IT });
    return bus.callObject("hosts", row[1], "org.hyper1.Hosts.Vm", "Start");
}

export const MANAGER_SIGNALS = { interface: SERVICES.manager.interface, path: ROOT };
export const HOSTS_MATCHES = [
    { interface: SERVICES.hosts.interface },
    { interface: PROPERTIES, member: "PropertiesChanged", path_namespace: SERVICES.hosts.path },
];
