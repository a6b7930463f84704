// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Other machines that take jobs from the queue.

import React, { useState } from "react";
import * as pf from "./pf.js";
import { MANAGER_SIGNALS, listWorkers } from "./bus.js";
import { numberText, timeText } from "./text.js";
import { Confirm, DataTable, Heading, Listed, useBus, useList } from "./ui.jsx";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

export function Workers() {
    const bus = useBus();
    const [list, again] = useList("manager", listWorkers, [], [MANAGER_SIGNALS], { delay: 500 });
    const [removed, setRemoved] = useState(null);
    const unregister = async () => {
        await bus.call("manager", "UnregisterWorker", removed.worker_id);
        again();
    };
    return (
        <div className="hyper-stack">
            <Heading title={_("Workers")}>
                <pf.Button variant="secondary" onClick={again}>
                    {_("Read again")}
                </pf.Button>
            </Heading>
            <Listed list={list}>
                {value => (
                    <>
                        <p role="status" id="queued">
                            {cockpit.format(_("Jobs that wait: $0"), numberText(value.queued))}
                        </p>
                        <DataTable
                            label={_("Workers")}
                            rows={value.workers}
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
            </Listed>
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
