// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The list of migrations.

import React, { memo, useState } from "react";
import * as pf from "./pf.js";
import { FINAL, cancelJob, followJobs, retryJob } from "./bus.js";
import {
    operationText,
    percentText,
    phaseText,
    rateText,
    remainingText,
    stateText,
    timeText,
} from "./text.js";
import { Confirm, ErrorAlert, Heading, Loading, StateLabel, go, useBus, useCall, useFollow } from "./ui.jsx";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

export function JobProgress({ id, percent, phase, rate, remaining }) {
    if (percent < 0 || percent === null || percent === undefined) return phaseText(phase);
    const label = [percentText(Math.floor(percent)), rateText(rate), remainingText(remaining)]
        .filter(Boolean)
        .join(" · ");
    return (
        <pf.Progress
            id={"progress-" + id}
            aria-label={cockpit.format(_("Progress of $0"), id)}
            size="sm"
            title={phaseText(phase)}
            value={Math.floor(percent)}
            label={label}
        />
    );
}

const Row = memo(function Row({ job, cancel, retry }) {
    return (
        <pf.Tr data-id={job.id} data-state={job.state}>
            <pf.Td dataLabel={_("Name")} className="hyper-path">
                <a href={"#/migration/" + encodeURIComponent(job.id)}>{job.id}</a>
            </pf.Td>
            <pf.Td dataLabel={_("Kind")}>{operationText(job.operation)}</pf.Td>
            <pf.Td dataLabel={_("State")}>
                <StateLabel state={job.state} />
                {job.state === "FAILED" && <div className="hyper-path">{job.reason}</div>}
            </pf.Td>
            <pf.Td dataLabel={_("Progress")}>
                {FINAL.includes(job.state) ? timeText(job.finished) : <JobProgress {...job} />}
            </pf.Td>
            <pf.Td dataLabel={_("Created")}>{timeText(job.created)}</pf.Td>
            <pf.Td dataLabel={_("Submitted by")}>{job.submitter}</pf.Td>
            <pf.Td isActionCell>
                {job.state === "FAILED" && (
                    <pf.Button
                        variant="secondary"
                        size="sm"
                        className="retry"
                        onClick={() => retry(job)}
                        aria-label={cockpit.format(_("Retry $0"), job.id)}
                    >
                        {_("Retry")}
                    </pf.Button>
                )}
                {!FINAL.includes(job.state) && (
                    <pf.Button
                        variant="secondary"
                        size="sm"
                        className="cancel"
                        onClick={() => cancel(job)}
                        aria-label={cockpit.format(_("Cancel $0"), job.id)}
                    >
                        {_("Cancel")}
                    </pf.Button>
                )}
            </pf.Td>
        </pf.Tr>
    );
});

function Empty() {
    return (
        <pf.EmptyState headingLevel="h2" titleText={_("No migrations yet")} id="empty">
            <pf.EmptyStateBody>
                {_(
                    "A migration copies the disks of a virtual machine of VMware, VirtualBox or Hyper-V, verifies the copy, prepares the guest, and defines it for KVM. The source is never changed.",
                )}
            </pf.EmptyStateBody>
            <pf.EmptyStateFooter>
                <pf.EmptyStateActions>
                    <pf.Button id="new" onClick={() => go("new")}>
                        {_("New migration")}
                    </pf.Button>
                </pf.EmptyStateActions>
            </pf.EmptyStateFooter>
        </pf.EmptyState>
    );
}

const GROUPS = [
    ["all", _("All states"), () => true],
    ["unfinished", _("Not finished"), job => !FINAL.includes(job.state)],
    ...FINAL.map(state => [state, stateText(state), job => job.state === state]),
];

// So many rows are shown, and as many more on request: a table with a thousand is slow to scroll.
const ROWS = 100;

function JobTable({ list, filter, more, cancel, retry }) {
    const [rows, setRows] = useState(ROWS);
    const matching = list.jobs.filter(GROUPS.find(([key]) => key === filter)[2]);
    const jobs = matching.slice(0, rows);
    function showMore() {
        setRows(rows + ROWS);
        if (matching.length <= rows + ROWS) more();
    }
    return (
        <>
            <pf.Table variant="compact" aria-label={_("Migrations")}>
                <pf.Thead>
                    <pf.Tr>
                        <pf.Th>{_("Name")}</pf.Th>
                        <pf.Th>{_("Kind")}</pf.Th>
                        <pf.Th width={20}>{_("State")}</pf.Th>
                        <pf.Th width={20}>{_("Progress")}</pf.Th>
                        <pf.Th width={15}>{_("Created")}</pf.Th>
                        <pf.Th modifier="wrap">{_("Submitted by")}</pf.Th>
                        <pf.Th screenReaderText={_("Actions")} />
                    </pf.Tr>
                </pf.Thead>
                <pf.Tbody>
                    {jobs.map(job => (
                        <Row key={job.path} job={job} cancel={cancel} retry={retry} />
                    ))}
                </pf.Tbody>
            </pf.Table>
            <p role="status" id="count">
                {cockpit.format(_("$0 of $1 migrations"), String(jobs.length), String(list.total))}
            </p>
            {(jobs.length < matching.length || list.jobs.length < list.total) && (
                <pf.Button variant="link" id="more" onClick={showMore}>
                    {_("Show older ones")}
                </pf.Button>
            )}
        </>
    );
}

export function Migrations() {
    const bus = useBus();
    const [list, follow] = useFollow(changed => followJobs(bus, changed), [bus]);
    const [filter, setFilter] = useState("all");
    const [cancelling, setCancelling] = useState(null);
    const { error, run, clear } = useCall();
    const [retry] = useState(() => job => run(() => retryJob(bus, job.id)));
    const empty = list && !list.error && list.total === 0;

    return (
        <div className="hyper-stack">
            <Heading title={_("Migrations")}>
                {list && !empty && !list.error && (
                    <>
                        <pf.FormSelect
                            id="filter"
                            aria-label={_("State")}
                            value={filter}
                            onChange={(e, v) => setFilter(v)}
                        >
                            {GROUPS.map(([key, label]) => (
                                <pf.FormSelectOption key={key} value={key} label={label} />
                            ))}
                        </pf.FormSelect>
                        <pf.Button id="new" onClick={() => go("new")}>
                            {_("New migration")}
                        </pf.Button>
                    </>
                )}
            </Heading>
            <ErrorAlert error={list?.error} />
            <ErrorAlert error={error} close={clear} />
            {!list && <Loading />}
            {empty && <Empty />}
            {list && !empty && !list.error && (
                <JobTable
                    list={list}
                    filter={filter}
                    more={() => follow.current.more()}
                    cancel={setCancelling}
                    retry={retry}
                />
            )}
            {cancelling && (
                <Confirm
                    title={cockpit.format(_("Cancel $0?"), cancelling.id)}
                    action={_("Cancel migration")}
                    onConfirm={() => cancelJob(bus, cancelling.id)}
                    onClose={() => setCancelling(null)}
                >
                    {_("What was copied so far is removed. The source is not changed.")}
                </Confirm>
            )}
        </div>
    );
}
