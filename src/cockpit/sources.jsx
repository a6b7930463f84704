// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where virtual machines come from: vCenters and ESXi hosts, libvirt hosts, and directories of images.

import React, { useState } from "react";
import * as pf from "./pf.js";
import {
    HOSTS_SIGNALS,
    PROPERTIES_OF,
    followList,
    getConfig,
    listFiles,
    listHostVms,
    listHosts,
    listSourceVms,
    listSources,
    testSource,
} from "./bus.js";
import { bytesText, numberText, powerText, timeText } from "./text.js";
import {
    Concerns,
    Confirm,
    DataTable,
    ErrorAlert,
    FormDialog,
    Heading,
    Loading,
    Notice,
    Section,
    useBus,
    useCall,
    useFollow,
} from "./ui.jsx";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

function AddServer({ onClose, added }) {
    const bus = useBus();
    async function submit({ password, ca, thumbprint, ...definition }) {
        await bus.call(
            "manager",
            "AddSource",
            JSON.stringify({
                ...definition,
                ...(ca && { ca }),
                ...(thumbprint && { thumbprint }),
            }),
            password,
        );
        added();
    }
    return (
        <FormDialog
            title={_("Add vCenter or ESXi host")}
            action={_("Add")}
            submit={submit}
            onClose={onClose}
            fields={[
                { name: "name", label: _("Name"), required: true },
                {
                    name: "vcenter_url",
                    label: _("Address"),
                    required: true,
                    help: _("A name or address, with or without a port"),
                },
                { name: "username", label: _("User"), required: true },
                { name: "password", label: _("Password"), type: "password", required: true },
                {
                    name: "thumbprint",
                    label: _("Thumbprint of the certificate"),
                    help: _(
                        "SHA-256. Without it, the certificate must be signed by a CA that this machine trusts",
                    ),
                },
                { name: "ca", label: _("CA certificates"), type: "textarea" },
            ]}
        />
    );
}

function Servers() {
    const bus = useBus();
    const [list, handle] = useFollow(
        changed => followList(bus, "manager", [], () => listSources(bus), changed),
        [bus],
    );
    const { error, busy, run, clear } = useCall();
    const [dialog, setDialog] = useState(null);
    const [server, setServer] = useState(null);
    const close = () => setDialog(null);
    const again = () => handle.current.again();

    async function test(source) {
        setServer(null);
        const result = await run(() => testSource(bus, source.name));
        if (result) setServer({ ...result, name: source.name });
    }
    return (
        <Section
            title={_("vCenter and ESXi")}
            id="servers"
            actions={
                <pf.Button id="add-server" variant="secondary" onClick={() => setDialog({ add: true })}>
                    {_("Add vCenter or ESXi host")}
                </pf.Button>
            }
        >
            <ErrorAlert error={list?.error} />
            <ErrorAlert error={error} close={clear} />
            {server && (
                <Notice
                    isInline
                    isLiveRegion
                    variant="success"
                    title={cockpit.format(_("$0 answers: $1 $2"), server.name, server.server, server.version)}
                />
            )}
            {!list && <Loading />}
            {list?.value && (
                <DataTable
                    label={_("vCenter and ESXi")}
                    rows={list.value}
                    rowKey={s => s.name}
                    empty={_("No vCenter or ESXi host was added.")}
                    columns={[
                        {
                            title: _("Name"),
                            cell: s => (
                                <a href={"#/sources/vsphere/" + encodeURIComponent(s.name)}>{s.name}</a>
                            ),
                        },
                        { title: _("Address"), cell: s => s.vcenter_url },
                        { title: _("User"), cell: s => s.username },
                        {
                            cell: s => (
                                <div className="hyper-actions">
                                    <pf.Button
                                        size="sm"
                                        variant="secondary"
                                        isDisabled={busy}
                                        aria-label={cockpit.format(_("Test $0"), s.name)}
                                        onClick={() => test(s)}
                                    >
                                        {_("Test")}
                                    </pf.Button>
                                    <pf.Button
                                        size="sm"
                                        variant="secondary"
                                        aria-label={cockpit.format(_("Remove $0"), s.name)}
                                        onClick={() => setDialog({ remove: s })}
                                    >
                                        {_("Remove")}
                                    </pf.Button>
                                </div>
                            ),
                        },
                    ]}
                />
            )}
            {dialog?.add && <AddServer onClose={close} added={again} />}
            {dialog?.remove && (
                <Confirm
                    title={cockpit.format(_("Remove $0?"), dialog.remove.name)}
                    action={_("Remove")}
                    onClose={close}
                    onConfirm={async () => {
                        await bus.call("manager", "RemoveSource", dialog.remove.name);
                        again();
                    }}
                >
                    {_("Its password is removed, too. Submitted migrations are not affected.")}
                </Confirm>
            )}
        </Section>
    );
}

function AddHost({ onClose }) {
    const bus = useBus();
    return (
        <FormDialog
            title={_("Add libvirt host")}
            action={_("Add")}
            onClose={onClose}
            fields={[
                {
                    name: "uri",
                    label: _("URI"),
                    required: true,
                    initial: "qemu:///system",
                    help: _("Such as qemu+ssh://root@kvm2/system"),
                },
            ]}
            submit={({ uri }) => bus.call("hosts", "AddHost", uri, {})}
        />
    );
}

function Hosts() {
    const bus = useBus();
    const [list] = useFollow(
        changed =>
            followList(
                bus,
                "hosts",
                [HOSTS_SIGNALS, PROPERTIES_OF("/org/hyper1/hosts")],
                () => listHosts(bus),
                changed,
                { delay: 200 },
            ),
        [bus],
    );
    const { error, busy, run, clear } = useCall();
    const [dialog, setDialog] = useState(null);
    const close = () => setDialog(null);
    const call = (host, method) =>
        run(() => bus.callObject("hosts", host.path, "org.hyper1.Hosts.Host", method));

    return (
        <Section
            title={_("libvirt hosts")}
            id="hosts"
            actions={
                <pf.Button id="add-host" variant="secondary" onClick={() => setDialog({ add: true })}>
                    {_("Add libvirt host")}
                </pf.Button>
            }
        >
            <ErrorAlert error={list?.error} />
            <ErrorAlert error={error} close={clear} />
            {!list && <Loading />}
            {list?.value && (
                <DataTable
                    label={_("libvirt hosts")}
                    rows={list.value}
                    rowKey={h => h.id}
                    empty={_("No libvirt host was added.")}
                    columns={[
                        {
                            title: _("Name"),
                            cell: h => (
                                <a href={"#/sources/libvirt/" + encodeURIComponent(h.id)}>{h.name || h.id}</a>
                            ),
                        },
                        { title: _("URI"), cell: h => <span className="hyper-path">{h.uri}</span> },
                        {
                            title: _("State"),
                            cell: h =>
                                h.error || (h.state === "CONNECTED" ? _("Connected") : _("Not connected")),
                        },
                        { title: _("Virtual machines"), cell: h => numberText(h.vms) },
                        {
                            cell: h => (
                                <div className="hyper-actions">
                                    {h.state !== "CONNECTED" && (
                                        <pf.Button
                                            size="sm"
                                            variant="secondary"
                                            isDisabled={busy}
                                            aria-label={cockpit.format(_("Connect $0"), h.id)}
                                            onClick={() => call(h, "Connect")}
                                        >
                                            {_("Connect")}
                                        </pf.Button>
                                    )}
                                    <pf.Button
                                        size="sm"
                                        variant="secondary"
                                        aria-label={cockpit.format(_("Remove $0"), h.id)}
                                        onClick={() => setDialog({ remove: h })}
                                    >
                                        {_("Remove")}
                                    </pf.Button>
                                </div>
                            ),
                        },
                    ]}
                />
            )}
            {dialog?.add && <AddHost onClose={close} />}
            {dialog?.remove && (
                <Confirm
                    title={cockpit.format(_("Remove $0?"), dialog.remove.id)}
                    action={_("Remove")}
                    onClose={close}
                    onConfirm={() => bus.call("hosts", "RemoveHost", dialog.remove.id)}
                >
                    {_("Its virtual machines are not affected.")}
                </Confirm>
            )}
        </Section>
    );
}

function Directories() {
    const bus = useBus();
    const [list] = useFollow(
        changed => followList(bus, "manager", [], () => getConfig(bus, "manager"), changed),
        [bus],
    );
    const roots = list?.value?.files?.roots || [];
    return (
        <Section title={_("Image directories")} id="directories">
            <ErrorAlert error={list?.error} />
            {!list && <Loading />}
            {list?.value && (
                <DataTable
                    label={_("Image directories")}
                    rows={roots}
                    rowKey={r => r}
                    empty={_("No directory is configured in files.roots.")}
                    columns={[
                        {
                            title: _("Path"),
                            cell: r => <a href={"#/sources/directory?path=" + encodeURIComponent(r)}>{r}</a>,
                        },
                    ]}
                />
            )}
        </Section>
    );
}

export function Sources() {
    return (
        <div className="hyper-stack">
            <Heading title={_("Sources")} />
            <Servers />
            <Hosts />
            <Directories />
        </div>
    );
}

function Path({ title }) {
    return (
        <pf.Breadcrumb aria-label={_("Path")}>
            <pf.BreadcrumbItem to="#/sources">{_("Sources")}</pf.BreadcrumbItem>
            <pf.BreadcrumbItem isActive>{title}</pf.BreadcrumbItem>
        </pf.Breadcrumb>
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
    const bus = useBus();
    const [list, handle] = useFollow(
        changed => followList(bus, "vsphere", [], () => listSourceVms(bus, name), changed),
        [bus, name],
    );
    const [search, setSearch] = useState("");
    const [ticked, setTicked] = useState(() => new Set());
    const tick = (path, on) =>
        setTicked(old => {
            const all = new Set(old);
            on ? all.add(path) : all.delete(path);
            return all;
        });
    const vms = (list?.value || []).filter(vm => vm.name.toLowerCase().includes(search.toLowerCase()));
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
                <pf.Button variant="secondary" onClick={() => handle.current.again()}>
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
            <ErrorAlert error={list?.error} />
            {!list && <Loading />}
            {list?.value && (
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
                        {vms.map(vm => (
                            <VmRow key={vm.path} vm={vm} ticked={ticked.has(vm.path)} tick={tick} />
                        ))}
                    </pf.Tbody>
                </pf.Table>
            )}
        </div>
    );
}

export function HostVms({ id }) {
    const bus = useBus();
    const [list] = useFollow(
        changed =>
            followList(
                bus,
                "hosts",
                [HOSTS_SIGNALS, PROPERTIES_OF("/org/hyper1/hosts")],
                () => listHostVms(bus, id),
                changed,
                { delay: 200 },
            ),
        [bus, id],
    );
    const { error, run, clear } = useCall();
    const start = vm => run(() => bus.callObject("hosts", vm.path, "org.hyper1.Hosts.Vm", "Start"));
    return (
        <div className="hyper-stack">
            <Path title={id} />
            <Heading title={cockpit.format(_("Virtual machines of $0"), id)} />
            <ErrorAlert error={list?.error} />
            <ErrorAlert error={error} close={clear} />
            {!list && <Loading />}
            {list?.value && (
                <DataTable
                    label={_("Virtual machines")}
                    rows={list.value}
                    rowKey={vm => vm.uuid}
                    empty={_("This host has no virtual machines.")}
                    columns={[
                        { title: _("Name"), cell: vm => vm.name },
                        { title: _("State"), cell: vm => vm.state },
                        { title: _("Processors"), cell: vm => numberText(vm.cpus) },
                        { title: _("Memory"), cell: vm => bytesText(vm.memory) },
                        {
                            cell: vm =>
                                /off/i.test(vm.state) && (
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
        </div>
    );
}

export function Directory({ path }) {
    const bus = useBus();
    const [list] = useFollow(
        changed => followList(bus, "manager", [], () => listFiles(bus, path), changed),
        [bus, path],
    );
    const full = entry => path.replace(/\/+$/, "") + "/" + entry.name;
    return (
        <div className="hyper-stack">
            <Path title={path} />
            <Heading title={path} />
            <ErrorAlert error={list?.error} />
            {!list && <Loading />}
            {list?.value && (
                <DataTable
                    label={path}
                    rows={list.value}
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
                                !e.directory && (
                                    <pf.Button
                                        size="sm"
                                        variant="secondary"
                                        className="migrate"
                                        aria-label={cockpit.format(_("Migrate $0"), e.name)}
                                        onClick={() => cockpit.location.go(["new"], { path: full(e) })}
                                    >
                                        {_("Migrate")}
                                    </pf.Button>
                                ),
                        },
                    ]}
                />
            )}
        </div>
    );
}

export function SourcesView({ path: [kind, name], options }) {
    if (kind === "vsphere" && name) return <ServerVms name={name} />;
    if (kind === "libvirt" && name) return <HostVms id={name} />;
    if (kind === "directory" && options.path) return <Directory path={options.path} />;
    return <Sources />;
}
