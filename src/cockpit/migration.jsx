// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One migration: its steps, what was verified and changed, whether the guest boots, and its log.

import React, { useEffect, useState } from "react";
import * as pf from "./pf.js";
import {
    FINAL,
    cancelJob,
    deployVm,
    followJob,
    releaseJob,
    retryJob,
    screenshot,
    setCutover,
    startVm,
} from "./bus.js";
import {
    bytesText,
    clockText,
    durationText,
    numberText,
    operationText,
    phaseText,
    stateText,
    timeText,
} from "./text.js";
import {
    Confirm,
    DataTable,
    ErrorAlert,
    Facts,
    FormDialog,
    Heading,
    Loading,
    Notice,
    Section,
    StateLabel,
    useBus,
    useCall,
    useFollow,
} from "./ui.jsx";
import { JobProgress } from "./migrations.jsx";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

// The states, and while a job runs its phases, with the times at which they began.
function stepsOf(job, entries) {
    const steps = job.state_history.map(s => ({
        time: s.timestamp,
        text: stateText(s.state),
        reason: s.reason,
        state: s.state,
    }));
    const phases = entries
        .filter(e => e.event === "phase" && e.phase)
        .map(e => ({ time: e.timestamp, text: phaseText(e.phase) }));
    const usec = step => (typeof step.time === "number" ? step.time : Date.parse(step.time) * 1000);
    return [...steps, ...phases].sort((a, b) => usec(a) - usec(b));
}

function Steps({ job, entries }) {
    const steps = stepsOf(job, entries);
    const last = steps.length - 1;
    const over = FINAL.includes(job.state);
    const variant = (step, i) =>
        step.state === "FAILED"
            ? "danger"
            : step.state === "CANCELLED"
              ? "warning"
              : i < last || over
                ? "success"
                : "info";
    return (
        <pf.ProgressStepper isVertical isCompact={false} aria-label={_("Steps")}>
            {steps.map((step, i) => (
                <pf.ProgressStep
                    key={i}
                    id={"step-" + i}
                    titleId={"step-title-" + i}
                    variant={variant(step, i)}
                    isCurrent={i === last}
                    aria-label={step.text}
                    description={[clockText(step.time), step.reason].filter(Boolean).join(" · ")}
                >
                    {step.text}
                </pf.ProgressStep>
            ))}
        </pf.ProgressStepper>
    );
}

function placeOf(place) {
    if (!place) return "";
    if (place.type === "vsphere")
        return cockpit.format(_("$0 of $1"), place.vm_path || place.vm_uuid, place.name || place.vcenter_url);
    if (place.type === "kvm")
        return (
            cockpit.format(_("Virtual machine $0"), place.name || "") +
            (place.directory ? " (" + place.directory + ")" : "")
        );
    return place.path || place.uri || "";
}

function Overview({ job }) {
    const metrics = job.result?.metrics || {};
    return (
        <Facts
            terms={[
                [_("State"), <StateLabel key="state" state={job.state} />],
                [_("Reason"), job.reason],
                [_("Source"), placeOf(job.spec?.source)],
                [_("Destination"), placeOf(job.spec?.destination)],
                [_("Submitted by"), job.submitter?.name],
                [_("Created"), timeText(job.created_at)],
                [_("Started"), timeText(job.started_at)],
                [_("Finished"), timeText(job.finished_at)],
                [_("Attempt"), job.attempt > 1 ? numberText(job.attempt) : ""],
                [_("Worker"), job.worker_id],
                [_("Read"), bytesText(metrics.bytes_read)],
                [_("Written"), bytesText(metrics.bytes_written)],
                [_("Duration"), metrics.duration_seconds ? durationText(metrics.duration_seconds) : ""],
            ]}
        />
    );
}

const VERIFIED = {
    full: _("All data and zeroes were compared"),
    sample: _("All data and a sample of the zeroes were compared"),
};

function Outputs({ outputs }) {
    return (
        <DataTable
            label={_("Disks")}
            rowKey={o => o.path || o.uri}
            rows={outputs}
            columns={[
                { title: _("Path"), cell: o => <span className="hyper-path">{o.path || o.uri}</span> },
                { title: _("Format"), cell: o => o.format },
                { title: _("Size"), cell: o => bytesText(o.virtual_size) },
                { title: _("On disk"), cell: o => bytesText(o.actual_size) },
                {
                    title: _("Verification"),
                    cell: o =>
                        VERIFIED[o.verified]
                            ? cockpit.format(
                                  _("$0: $1"),
                                  VERIFIED[o.verified],
                                  bytesText(o.bytes_data_compared),
                              )
                            : _("Not verified"),
                },
            ]}
        />
    );
}

const BOOTS = { yes: _("It starts"), no: _("It does not start"), unknown: _("Unknown") };

function Guest({ guest }) {
    return (
        <>
            <Facts
                terms={[
                    [
                        _("Operating system"),
                        typeof guest.os === "string" ? guest.os : guest.os?.name || guest.os?.product,
                    ],
                    [_("Firmware"), guest.firmware],
                    [_("Starts on KVM"), BOOTS[guest.bootable]],
                ]}
            />
            {(guest.reasons || []).map((reason, i) => (
                <Notice
                    key={i}
                    isInline
                    isPlain
                    variant="warning"
                    title={typeof reason === "string" ? reason : reason.message || JSON.stringify(reason)}
                />
            ))}
            {(guest.warnings || []).map((warning, i) => (
                <Notice
                    key={i}
                    isInline
                    isPlain
                    variant="warning"
                    title={typeof warning === "string" ? warning : warning.message}
                />
            ))}
            <DataTable
                label={_("Changes of the guest")}
                rows={(guest.changes || []).map((c, i) => ({ ...c, i }))}
                rowKey={c => c.i}
                empty={_("Nothing was changed.")}
                columns={[
                    { title: _("Step"), cell: c => operationText(c.step) },
                    { title: _("File"), cell: c => <span className="hyper-path">{c.file}</span> },
                    { title: _("Before"), cell: c => <span className="hyper-path">{c.from}</span> },
                    { title: _("After"), cell: c => <span className="hyper-path">{c.to}</span> },
                ]}
            />
        </>
    );
}

function Boot({ job }) {
    const bus = useBus();
    const boot = job.result.boot;
    const [picture, setPicture] = useState(null);
    useEffect(() => {
        if (boot.screenshot) screenshot(bus, job.path).then(setPicture, () => setPicture(null));
    }, [job.path, boot.screenshot]);
    return (
        <>
            <Facts
                terms={[
                    [_("Result"), BOOTS[boot.boots]],
                    [_("Seen"), boot.message],
                    [_("Duration"), boot.seconds ? durationText(boot.seconds) : ""],
                ]}
            />
            {picture && (
                <img
                    className="hyper-screen"
                    src={"data:image/png;base64," + picture}
                    alt={_("The last screen of the guest")}
                />
            )}
            {boot.console?.length > 0 && (
                <pre className="hyper-code" tabIndex={0} aria-label={_("Serial console")}>
                    {boot.console.join("\n")}
                </pre>
            )}
        </>
    );
}

function Log({ entries }) {
    return (
        <div className="hyper-log" role="log" tabIndex={0} aria-label={_("Log")} aria-live="off">
            {entries.map((e, i) => (
                <div key={i}>
                    <time>{clockText(e.timestamp)}</time>
                    {e.message}
                </div>
            ))}
        </div>
    );
}

function Warm({ job }) {
    const bus = useBus();
    const { error, busy, run, clear } = useCall();
    const warm = job.warm;
    return (
        <>
            <ErrorAlert error={error} close={clear} />
            <Facts
                terms={[
                    [_("Pass"), numberText(warm.pass || 1)],
                    [_("Next pass"), timeText(warm.next)],
                    [_("Cutover"), warm.cutover_at ? timeText(warm.cutover_at) : _("On request")],
                    [
                        _("A pass takes about"),
                        warm.estimate_seconds ? durationText(warm.estimate_seconds) : "",
                    ],
                    [_("Downtime"), warm.downtime_seconds ? durationText(warm.downtime_seconds) : ""],
                ]}
            />
            {!FINAL.includes(job.state) && (
                <div className="hyper-actions">
                    <pf.Button
                        variant="secondary"
                        isDisabled={busy}
                        onClick={() => run(() => setCutover(bus, job.path, "now"))}
                    >
                        {_("Cut over now")}
                    </pf.Button>
                    {warm.cutover_at && (
                        <pf.Button
                            variant="link"
                            isDisabled={busy}
                            onClick={() => run(() => setCutover(bus, job.path, "cancel"))}
                        >
                            {_("Cancel cutover")}
                        </pf.Button>
                    )}
                </div>
            )}
        </>
    );
}

function DefineDialog({ job, onClose, onDefined }) {
    const bus = useBus();
    const disks = job.result.outputs.map(o => o.path);
    const vm = job.result.vm || {};
    const name = vm.name || disks[0].replace(/^.*\//, "").replace(/\.[^.]*$/, "");

    async function submit({ name, cpu, memory, network, start }) {
        onDefined(
            await deployVm(bus, {
                name,
                cpu: Number(cpu),
                memory_mb: Number(memory),
                network,
                start,
                target: "libvirt",
                ...(disks.length > 1 ? { disks } : { disk_path: disks[0] }),
            }),
        );
    }
    return (
        <FormDialog
            title={_("Define virtual machine")}
            action={_("Define")}
            submit={submit}
            onClose={onClose}
            fields={[
                { name: "name", label: _("Name"), required: true, initial: name },
                {
                    name: "cpu",
                    label: _("Processors"),
                    type: "number",
                    required: true,
                    initial: String(vm.cpus || 2),
                },
                {
                    name: "memory",
                    label: _("Memory in MiB"),
                    type: "number",
                    required: true,
                    initial: String(Math.round((vm.memory || 2 ** 31) / 2 ** 20)),
                },
                {
                    name: "network",
                    label: _("Network"),
                    required: true,
                    initial: "default",
                    help: _("A network of libvirt, bridge:NAME, or none"),
                },
                { name: "start", label: _("Start it"), type: "checkbox", initial: true },
            ]}
        />
    );
}

function Actions({ job, run, setDialog }) {
    const bus = useBus();
    const over = FINAL.includes(job.state);
    const domain = job.result?.domain;
    const definable =
        job.state === "COMPLETED" &&
        !domain &&
        job.result?.outputs?.length > 0 &&
        job.result.outputs.every(o => ["qcow2", "raw"].includes(o.format) && o.path);
    return (
        <>
            {job.state === "FAILED" && (
                <pf.Button id="retry" onClick={() => run(() => retryJob(bus, job.job_id))}>
                    {_("Retry")}
                </pf.Button>
            )}
            {definable && (
                <pf.Button id="define" onClick={() => setDialog("define")}>
                    {_("Define")}
                </pf.Button>
            )}
            {job.state === "COMPLETED" && domain?.uuid && !domain.running && (
                <pf.Button
                    id="start"
                    variant="secondary"
                    onClick={() => run(() => startVm(bus, domain.uuid))}
                >
                    {_("Start")}
                </pf.Button>
            )}
            {job.state === "QUEUED" && job.spec?.carbon && (
                <pf.Button
                    id="release"
                    variant="secondary"
                    onClick={() => run(() => releaseJob(bus, job.path))}
                >
                    {_("Run now")}
                </pf.Button>
            )}
            {!over && (
                <pf.Button id="cancel" variant="secondary" onClick={() => setDialog("cancel")}>
                    {_("Cancel")}
                </pf.Button>
            )}
        </>
    );
}

function Details({ job, entries }) {
    const bus = useBus();
    const { error, run, clear } = useCall();
    const [dialog, setDialog] = useState(null);
    const [defined, setDefined] = useState(null);
    const result = job.result || {};
    const close = () => setDialog(null);

    return (
        <div className="hyper-stack" id="migration" data-state={job.state}>
            <Heading title={job.job_id}>
                <Actions job={job} run={run} setDialog={setDialog} />
            </Heading>
            <ErrorAlert error={error} close={clear} />
            {defined && (
                <Notice
                    isInline
                    isLiveRegion
                    variant="success"
                    id="defined"
                    title={cockpit.format(_("Virtual machine $0 was defined"), defined)}
                />
            )}
            {job.state === "RUNNING" && (
                <JobProgress id={job.job_id} {...job.progress} remaining={job.progress.remaining_usec} />
            )}
            <Section title={operationText(job.operation)}>
                <Overview job={job} />
            </Section>
            {job.warm && (
                <Section title={_("Warm migration")}>
                    <Warm job={job} />
                </Section>
            )}
            <Section title={_("Steps")}>
                <Steps job={job} entries={entries} />
            </Section>
            {result.outputs?.length > 0 && (
                <Section title={_("Disks")}>
                    <Outputs outputs={result.outputs} />
                </Section>
            )}
            {result.domain?.name && (
                <Section title={_("Virtual machine")}>
                    <Facts
                        terms={[
                            [_("Name"), result.domain.name],
                            [_("UUID"), result.domain.uuid],
                            [_("Started"), result.domain.running ? _("Yes") : _("No")],
                        ]}
                    />
                    {(result.domain.warnings || []).map((w, i) => (
                        <Notice key={i} isInline isPlain variant="warning" title={w.message || String(w)} />
                    ))}
                </Section>
            )}
            {result.guest && (
                <Section title={_("Guest")}>
                    <Guest guest={result.guest} />
                </Section>
            )}
            {result.boot && (
                <Section title={_("Proof of boot")}>
                    <Boot job={job} />
                </Section>
            )}
            {entries.length > 0 && (
                <Section title={_("Log")}>
                    <Log entries={entries} />
                </Section>
            )}
            {dialog === "cancel" && (
                <Confirm
                    title={cockpit.format(_("Cancel $0?"), job.job_id)}
                    action={_("Cancel migration")}
                    onConfirm={() => cancelJob(bus, job.job_id)}
                    onClose={close}
                >
                    {_("What was copied so far is removed. The source is not changed.")}
                </Confirm>
            )}
            {dialog === "define" && (
                <DefineDialog
                    job={job}
                    onClose={close}
                    onDefined={vm => setDefined(vm.name || vm.vm?.name || "")}
                />
            )}
        </div>
    );
}

export function Migration({ id }) {
    const bus = useBus();
    const [value] = useFollow(changed => followJob(bus, id, changed), [bus, id]);

    return (
        <div className="hyper-stack">
            <pf.Breadcrumb aria-label={_("Path")}>
                <pf.BreadcrumbItem to="#/">{_("Migrations")}</pf.BreadcrumbItem>
                <pf.BreadcrumbItem isActive>{id}</pf.BreadcrumbItem>
            </pf.Breadcrumb>
            <ErrorAlert error={value?.error} />
            {!value?.job && !value?.error && <Loading />}
            {value?.job && <Details job={value.job} entries={value.entries} />}
        </div>
    );
}
