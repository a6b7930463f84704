// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The list of migrations.

import React, { memo, useEffect, useRef, useState } from "react";
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

const Row = memo(function Row({ job, index, cancel, retry }) {
    return (
        <pf.Tr data-id={job.id} data-state={job.state} aria-rowindex={index + 2}>
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

// So many rows are created together, when they are about to be seen: a table of thousands is slow otherwise.
const CHUNK = 20;
const ROW_HEIGHT = 56; // pixels, of a row that was not seen yet
const MARGIN = "800px"; // rows as near as that to what is seen are created

// The element that scrolls what is in it; null: the window.
function scrollerOf(element) {
    const parent = element.parentElement;
    const scrolls = parent && /auto|scroll/.test(getComputedStyle(parent).overflowY);
    return !parent || scrolls ? parent : scrollerOf(parent);
}

function Chunk({ jobs, first, cancel, retry }) {
    const ref = useRef(null);
    const [near, setNear] = useState(first === 0);
    const [height, setHeight] = useState(0);
    useEffect(() => {
        const seen = entries => {
            const { isIntersecting, boundingClientRect } = entries[entries.length - 1];
            if (!isIntersecting) setHeight(boundingClientRect.height);
            setNear(isIntersecting);
        };
        const options = { root: scrollerOf(ref.current), rootMargin: MARGIN };
        const observer = new IntersectionObserver(seen, options);
        observer.observe(ref.current);
        return () => observer.disconnect();
    }, []);
    return (
        <pf.Tbody ref={ref}>
            {near ? (
                jobs.map((job, i) => (
                    <Row key={job.path} job={job} index={first + i} cancel={cancel} retry={retry} />
                ))
            ) : (
                <tr aria-hidden="true" style={{ blockSize: height || jobs.length * ROW_HEIGHT }}>
                    <td colSpan={7} />
                </tr>
            )}
        </pf.Tbody>
    );
}

function JobTable({ list, filter, more, cancel, retry }) {
    const jobs = list.jobs.filter(GROUPS.find(([key]) => key === filter)[2]);
    const firsts = [...Array(Math.ceil(jobs.length / CHUNK)).keys()].map(i => i * CHUNK);
    return (
        <>
            <pf.Table variant="compact" aria-label={_("Migrations")} aria-rowcount={jobs.length + 1}>
                <pf.Thead>
                    <pf.Tr aria-rowindex={1}>
                        <pf.Th>{_("Name")}</pf.Th>
                        <pf.Th>{_("Kind")}</pf.Th>
                        <pf.Th width={20}>{_("State")}</pf.Th>
                        <pf.Th width={20}>{_("Progress")}</pf.Th>
                        <pf.Th width={15}>{_("Created")}</pf.Th>
                        <pf.Th modifier="wrap">{_("Submitted by")}</pf.Th>
                        <pf.Th screenReaderText={_("Actions")} />
                    </pf.Tr>
                </pf.Thead>
                {firsts.map(first => (
                    <Chunk
                        key={first}
                        first={first}
                        jobs={jobs.slice(first, first + CHUNK)}
                        cancel={cancel}
                        retry={retry}
                    />
                ))}
            </pf.Table>
            <p role="status" id="count">
                {cockpit.format(_("$0 of $1 migrations"), String(jobs.length), String(list.total))}
            </p>
            {list.jobs.length < list.total && (
                <pf.Button variant="link" id="more" onClick={more}>
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
