// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Migrations that are repeated.

import React, { useState } from "react";
import * as pf from "./pf.js";
import { MANAGER_SIGNALS, listSchedules } from "./bus.js";
import { numberText, stateText, timeText } from "./text.js";
import {
    Confirm,
    DataTable,
    ErrorAlert,
    FormDialog,
    Heading,
    Listed,
    Notice,
    useBus,
    useCall,
    useList,
} from "./ui.jsx";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

const OVERLAP = [
    ["skip", _("Skip the run")],
    ["queue", _("Wait for the previous one")],
    ["allow", _("Run both")],
];

function NewSchedule({ onClose }) {
    const bus = useBus();
    function submit({ name, schedule, source, directory, overlap_policy, catch_up }) {
        const base = source.replace(/^.*\//, "").replace(/\.[^.]*$/, "");
        return bus.call(
            "manager",
            "CreateSchedule",
            JSON.stringify({
                name,
                schedule,
                overlap_policy,
                catch_up,
                job: {
                    operation: "convert",
                    source: { type: "file", path: source },
                    destination: {
                        type: "file",
                        path: `${directory.replace(/\/+$/, "")}/${base}-{job_id}.qcow2`,
                        format: "qcow2",
                    },
                },
            }),
            {},
        );
    }
    return (
        <FormDialog
            title={_("New schedule")}
            action={_("Create")}
            submit={submit}
            onClose={onClose}
            fields={[
                { name: "name", label: _("Name"), required: true },
                {
                    name: "schedule",
                    label: _("Time"),
                    required: true,
                    initial: "0 2 * * *",
                    help: _(
                        "Minute, hour, day of month, month and day of week as in cron, or @daily, @weekly, @every 6h",
                    ),
                },
                { name: "source", label: _("Disk image, OVA or OVF"), required: true },
                {
                    name: "directory",
                    label: _("Directory"),
                    required: true,
                    initial: "/var/lib/libvirt/images",
                    help: _("Each run creates an image with its own name"),
                },
                {
                    name: "overlap_policy",
                    label: _("If the previous run has not ended"),
                    type: "select",
                    options: OVERLAP,
                    initial: "skip",
                },
                {
                    name: "catch_up",
                    label: _("Run once if the machine was off at the time"),
                    type: "checkbox",
                    initial: true,
                },
            ]}
        />
    );
}

export function Schedules() {
    const bus = useBus();
    const [list] = useList("manager", listSchedules, [], [MANAGER_SIGNALS], { delay: 200 });
    const { error, busy, run, clear } = useCall();
    const [dialog, setDialog] = useState(null);
    const [job, setJob] = useState(null);
    const close = () => setDialog(null);

    async function trigger(schedule) {
        const reply = await run(() => bus.call("manager", "TriggerSchedule", schedule.id, {}));
        if (reply) setJob(reply[0]);
    }
    const actions = s => (
        <div className="hyper-actions">
            <pf.Button
                size="sm"
                variant="secondary"
                isDisabled={busy}
                className="run"
                onClick={() => trigger(s)}
                aria-label={cockpit.format(_("Run $0 now"), s.name || s.id)}
            >
                {_("Run now")}
            </pf.Button>
            <pf.Button
                size="sm"
                variant="secondary"
                isDisabled={busy}
                className="enable"
                aria-label={cockpit.format(s.enabled ? _("Disable $0") : _("Enable $0"), s.name || s.id)}
                onClick={() =>
                    run(() => bus.call("manager", s.enabled ? "DisableSchedule" : "EnableSchedule", s.id))
                }
            >
                {s.enabled ? _("Disable") : _("Enable")}
            </pf.Button>
            <pf.Button
                size="sm"
                variant="secondary"
                className="delete"
                onClick={() => setDialog({ remove: s })}
                aria-label={cockpit.format(_("Delete $0"), s.name || s.id)}
            >
                {_("Delete")}
            </pf.Button>
        </div>
    );

    return (
        <div className="hyper-stack">
            <Heading title={_("Schedules")}>
                <pf.Button id="new-schedule" onClick={() => setDialog({ add: true })}>
                    {_("New schedule")}
                </pf.Button>
            </Heading>
            <ErrorAlert error={error} close={clear} />
            {job && (
                <Notice isInline isLiveRegion variant="success" title={_("The schedule was run")}>
                    <a href={"#/migration/" + encodeURIComponent(job)}>{job}</a>
                </Notice>
            )}
            {job === "" && (
                <Notice
                    isInline
                    isLiveRegion
                    variant="info"
                    title={_("The run was skipped or waits, because the previous one has not ended")}
                />
            )}
            <Listed list={list}>
                {value => (
                    <DataTable
                        label={_("Schedules")}
                        rows={value.schedules}
                        rowKey={s => s.id}
                        empty={_("A schedule repeats a migration, such as a copy every night.")}
                        columns={[
                            { title: _("Name"), cell: s => s.name || s.id },
                            { title: _("Time"), cell: s => s.schedule },
                            {
                                title: _("Next run"),
                                cell: s => (s.enabled ? timeText(s.next) : _("Disabled")),
                            },
                            {
                                title: _("Last run"),
                                cell: s =>
                                    [timeText(s.last), stateText(s.status)].filter(Boolean).join(" · "),
                            },
                            { title: _("Submitted by"), cell: s => s.submitter },
                            { title: _("Runs"), cell: s => numberText(s.runs) },
                            { cell: actions },
                        ]}
                    />
                )}
            </Listed>
            {dialog?.add && <NewSchedule onClose={close} />}
            {dialog?.remove && (
                <Confirm
                    title={cockpit.format(_("Delete $0?"), dialog.remove.name || dialog.remove.id)}
                    action={_("Delete")}
                    onClose={close}
                    onConfirm={() => bus.call("manager", "DeleteSchedule", dialog.remove.id)}
                >
                    {_("Its migrations are not affected.")}
                </Confirm>
            )}
        </div>
    );
}
