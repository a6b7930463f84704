// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Other machines that take jobs from the queue.

import React, { useState } from "react";
import * as pf from "./pf.js";
import { MANAGER_SIGNALS, followList, listWorkers } from "./bus.js";
import { numberText, timeText } from "./text.js";
import { Confirm, DataTable, ErrorAlert, Heading, Loading, useBus, useFollow } from "./ui.jsx";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

export function Workers() {
    const bus = useBus();
    const [list, handle] = useFollow(
        changed =>
            followList(bus, "manager", [MANAGER_SIGNALS], () => listWorkers(bus), changed, { delay: 500 }),
        [bus],
    );
    const [removed, setRemoved] = useState(null);
    const unregister = async () => {
        await bus.call("manager", "UnregisterWorker", removed.worker_id);
        handle.current.again();
    };
    return (
        <div className="hyper-stack">
            <Heading title={_("Workers")}>
                <pf.Button variant="secondary" onClick={() => handle.current.again()}>
                    {_("Read again")}
                </pf.Button>
            </Heading>
            <ErrorAlert error={list?.error} />
            {!list && <Loading />}
            {list?.value && (
                <>
                    <p role="status" id="queued">
                        {cockpit.format(_("Jobs that wait: $0"), numberText(list.value.queued))}
                    </p>
                    <DataTable
                        label={_("Workers")}
                        rows={list.value.workers}
                        rowKey={w => w.worker_id}
                        empty={_(
                            "No other machine takes jobs. A machine with the package hyper-agent does, once it is configured.",
                        )}
                        columns={[
                            { title: _("Name"), cell: w => w.worker_id },
                            { title: _("State"), cell: w => (w.active ? _("Active") : _("Not active")) },
                            { title: _("Jobs"), cell: w => numberText(w.jobs) },
                            { title: _("Operations"), cell: w => (w.operations || []).join(", ") },
                            { title: _("Last seen"), cell: w => timeText(w.heartbeat_at) },
                            {
                                cell: w => (
                                    <pf.Button
                                        size="sm"
                                        variant="secondary"
                                        onClick={() => setRemoved(w)}
                                        aria-label={cockpit.format(_("Remove $0"), w.worker_id)}
                                    >
                                        {_("Remove")}
                                    </pf.Button>
                                ),
                            },
                        ]}
                    />
                </>
            )}
            {removed && (
                <Confirm
                    title={cockpit.format(_("Remove $0?"), removed.worker_id)}
                    action={_("Remove")}
                    onConfirm={unregister}
                    onClose={() => setRemoved(null)}
                >
                    {_("Jobs that it has not started return to the queue.")}
                </Confirm>
            )}
        </div>
    );
}
