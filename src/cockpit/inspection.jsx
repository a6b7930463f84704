// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What InspectSource has found.

import React from "react";
import { networksOf } from "./spec.js";
import { bytesText, numberText, powerText } from "./text.js";
import { Concerns, DataTable, Facts } from "./ui.jsx";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

// A virtual machine of a server has other members than the hardware of an OVF.
function facts({ format, size, vm }) {
    return [
        [_("Format"), format],
        [_("State"), powerText(vm?.power_state || vm?.state)],
        [_("Guest"), vm?.guest_os],
        [_("Firmware"), vm?.hardware?.firmware || vm?.firmware],
        [_("Snapshots"), vm?.snapshot_count > 0 ? numberText(vm.snapshot_count) : ""],
        [_("Networks"), networksOf([{ vm }]).join(", ")],
        [_("Size"), size ? bytesText(size) : ""],
    ];
}

// What was found in a source. action(disk) is what can be done with a disk.
export function Inspection({ name, inspection, action }) {
    return (
        <>
            <Facts terms={facts(inspection)} />
            {inspection.disks.length > 0 && (
                <DataTable
                    label={cockpit.format(_("Disks of $0"), name)}
                    rows={inspection.disks.map((d, i) => ({ ...d, i }))}
                    rowKey={d => d.i}
                    columns={[
                        { title: _("File"), cell: d => <span className="hyper-path">{d.file}</span> },
                        inspection.type !== "vsphere" && { title: _("Format"), cell: d => d.format },
                        { title: _("Size"), cell: d => (d.size ? bytesText(d.size) : _("Unknown")) },
                        action && { cell: action },
                    ].filter(Boolean)}
                />
            )}
            <Concerns concerns={inspection.concerns} />
        </>
    );
}
