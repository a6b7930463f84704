// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The virtual machines of a source, one of them, and the files of a directory.

import React, { useState } from "react";
import * as pf from "./pf.js";
import { HOSTS_MATCHES, inspectSource, listFiles, listHostVms, listSourceVms } from "./bus.js";
import { Inspection } from "./inspection.jsx";
import { bytesText, numberText, powerText, timeText } from "./text.js";
import {
    Concerns,
    DataTable,
    ErrorAlert,
    Heading,
    Listed,
    Section,
    useBus,
    useCall,
    useList,
} from "./ui.jsx";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

const hostVmLocation = (...path) => "#/sources/libvirt/" + path.map(encodeURIComponent).join("/");

function Path({ title, parent }) {
    return (
        <pf.Breadcrumb aria-label={_("Path")}>
            <pf.BreadcrumbItem to="#/sources">{_("Sources")}</pf.BreadcrumbItem>
            {parent && <pf.BreadcrumbItem to={hostVmLocation(parent)}>{parent}</pf.BreadcrumbItem>}
            <pf.BreadcrumbItem isActive>{title}</pf.BreadcrumbItem>
        </pf.Breadcrumb>
    );
}

function MigrateFile({ path, name }) {
    return (
        <pf.Button
            size="sm"
            variant="secondary"
            className="migrate"
            aria-label={cockpit.format(_("Migrate $0"), name)}
            onClick={() => cockpit.location.go(["new"], { path })}
        >
            {_("Migrate")}
        </pf.Button>
    );
}

function VmRow({ vm, ticked, tick }) {
    return (
        <pf.Tr data-id={vm.path}>
            <pf.Td dataLabel={_("Select")}>
                <pf.Checkbox
                    id={"tick-" + vm.id}
                    aria-label={cockpit.format(_("Select $0"), vm.name)}
                    isChecked={ticked}
                    isDisabled={vm.template}
                    onChange={(e, v) => tick(vm.path, v)}
                />
            </pf.Td>
            <pf.Td dataLabel={_("Name")}>{vm.name}</pf.Td>
            <pf.Td dataLabel={_("State")}>{vm.template ? _("Template") : powerText(vm.power_state)}</pf.Td>
            <pf.Td dataLabel={_("Guest")}>{vm.guest_os}</pf.Td>
            <pf.Td dataLabel={_("Disks")}>{numberText(vm.num_virtual_disks || 0)}</pf.Td>
            <pf.Td dataLabel={_("Size")}>{bytesText(vm.storage)}</pf.Td>
            <pf.Td dataLabel={_("Concerns")}>
                <Concerns concerns={vm.concerns} />
            </pf.Td>
        </pf.Tr>
    );
}

export function ServerVms({ name }) {
    const [list, again] = useList("vsphere", bus => listSourceVms(bus, name), [name]);
    const [search, setSearch] = useState("");
    const [ticked, setTicked] = useState(() => new Set());
    const tick = (path, on) =>
        setTicked(old => {
            const all = new Set(old);
            on ? all.add(path) : all.delete(path);
            return all;
        });
    const matches = vm => vm.name.toLowerCase().includes(search.toLowerCase());
    return (
        <div className="hyper-stack">
            <Path title={name} />
            <Heading title={cockpit.format(_("Virtual machines of $0"), name)}>
                <pf.TextInput
                    id="search"
                    type="search"
                    aria-label={_("Search by name")}
                    placeholder={_("Search by name")}
                    value={search}
                    onChange={(e, v) => setSearch(v)}
                />
                <pf.Button variant="secondary" onClick={again}>
                    {_("Read again")}
                </pf.Button>
                <pf.Button
                    id="migrate-selected"
                    isDisabled={ticked.size === 0}
                    onClick={() => cockpit.location.go(["new"], { source: name, vm: [...ticked] })}
                >
                    {cockpit.format(_("Migrate selected ($0)"), String(ticked.size))}
                </pf.Button>
            </Heading>
            <Listed list={list}>
                {value => (
                    <pf.Table variant="compact" aria-label={_("Virtual machines")}>
                        <pf.Thead>
                            <pf.Tr>
                                <pf.Th screenReaderText={_("Select")} />
                                <pf.Th>{_("Name")}</pf.Th>
                                <pf.Th>{_("State")}</pf.Th>
                                <pf.Th>{_("Guest")}</pf.Th>
                                <pf.Th>{_("Disks")}</pf.Th>
                                <pf.Th>{_("Size")}</pf.Th>
                                <pf.Th width={30}>{_("Concerns")}</pf.Th>
                            </pf.Tr>
                        </pf.Thead>
                        <pf.Tbody>
                            {value.filter(matches).map(vm => (
                                <VmRow key={vm.path} vm={vm} ticked={ticked.has(vm.path)} tick={tick} />
                            ))}
                        </pf.Tbody>
                    </pf.Table>
                )}
            </Listed>
        </div>
    );
}

export function HostVms({ id }) {
    const bus = useBus();
    const [list] = useList("hosts", b => listHostVms(b, id), [id], HOSTS_MATCHES, { delay: 200 });
    const { error, run, clear } = useCall();
    const start = vm => run(() => bus.callObject("hosts", vm.path, "org.hyper1.Hosts.Vm", "Start"));
    return (
        <div className="hyper-stack">
            <Path title={id} />
            <Heading title={cockpit.format(_("Virtual machines of $0"), id)} />
            <ErrorAlert error={error} close={clear} />
            <Listed list={list}>
                {value => (
                    <DataTable
                        label={_("Virtual machines")}
                        rows={value}
                        rowKey={vm => vm.uuid}
                        empty={_("This host has no virtual machines.")}
                        columns={[
                            {
                                title: _("Name"),
                                cell: vm => <a href={hostVmLocation(id, vm.uuid)}>{vm.name}</a>,
                            },
                            { title: _("State"), cell: vm => powerText(vm.state) },
                            { title: _("Processors"), cell: vm => numberText(vm.cpus) },
                            { title: _("Memory"), cell: vm => bytesText(vm.memory) },
                            { title: _("Concerns"), cell: vm => <Concerns concerns={vm.concerns} /> },
                            {
                                cell: vm =>
                                    vm.state === "STOPPED" && (
                                        <pf.Button
                                            size="sm"
                                            variant="secondary"
                                            onClick={() => start(vm)}
                                            aria-label={cockpit.format(_("Start $0"), vm.name)}
                                        >
                                            {_("Start")}
                                        </pf.Button>
                                    ),
                            },
                        ]}
                    />
                )}
            </Listed>
        </div>
    );
}

// A virtual machine of a libvirt host, whose disks are images that can be migrated.
export function HostVm({ host, vm }) {
    const source = { type: "libvirt", host, vm };
    const [list, again] = useList("manager", bus => inspectSource(bus, source), [host, vm]);
    const name = list?.value?.vm.name || vm;
    const elsewhere = concerns => concerns.some(c => c.code === "other_machine");
    return (
        <div className="hyper-stack">
            <Path title={name} parent={host} />
            <Heading title={name}>
                <pf.Button variant="secondary" onClick={again}>
                    {_("Read again")}
                </pf.Button>
            </Heading>
            <Listed list={list}>
                {value => (
                    <Section title={_("As the source of a migration")} id="inspection">
                        <Inspection
                            name={name}
                            inspection={value}
                            action={disk =>
                                disk.file &&
                                !elsewhere(value.concerns) && (
                                    <MigrateFile path={disk.file} name={disk.file} />
                                )
                            }
                        />
                    </Section>
                )}
            </Listed>
        </div>
    );
}

export function Directory({ path }) {
    const [list] = useList("manager", bus => listFiles(bus, path), [path]);
    const full = entry => path.replace(/\/+$/, "") + "/" + entry.name;
    return (
        <div className="hyper-stack">
            <Path title={path} />
            <Heading title={path} />
            <Listed list={list}>
                {value => (
                    <DataTable
                        label={path}
                        rows={value}
                        rowKey={e => e.name}
                        empty={_("This directory is empty.")}
                        columns={[
                            {
                                title: _("Name"),
                                cell: e =>
                                    e.directory ? (
                                        <a href={"#/sources/directory?path=" + encodeURIComponent(full(e))}>
                                            {e.name}/
                                        </a>
                                    ) : (
                                        e.name
                                    ),
                            },
                            { title: _("Size"), cell: e => (e.directory ? "" : bytesText(e.size)) },
                            { title: _("Changed"), cell: e => timeText(e.changed) },
                            {
                                cell: e =>
                                    !e.directory && <MigrateFile path={full(e)} name={e.name} />,
                            },
                        ]}
                    />
                )}
            </Listed>
        </div>
    );
}
