// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where virtual machines come from: vCenters and ESXi hosts, libvirt hosts, and directories of images.

import React, { useState } from "react";
import * as pf from "./pf.js";
import {
    HOSTS_MATCHES,
    getConfig,
    listHosts,
    listSources,
    testSource,
} from "./bus.js";
import { numberText } from "./text.js";
import {
    Confirm,
    DataTable,
    ErrorAlert,
    FormDialog,
    Heading,
    Listed,
    Notice,
    Section,
    useBus,
    useCall,
    useList,
} from "./ui.jsx";
import { Directory, HostVm, HostVms, ServerVms } from "./source-views.jsx";

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
    const [list, again] = useList("manager", listSources);
    const { error, busy, run, clear } = useCall();
    const [dialog, setDialog] = useState(null);
    const [server, setServer] = useState(null);
    const close = () => setDialog(null);

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
            <ErrorAlert error={error} close={clear} />
            {server && (
                <Notice
                    isInline
                    isLiveRegion
                    variant="success"
                    title={cockpit.format(_("$0 answers: $1 $2"), server.name, server.server, server.version)}
                />
            )}
            <Listed list={list}>
                {value => (
                    <DataTable
                        label={_("vCenter and ESXi")}
                        rows={value}
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
            </Listed>
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
    const [list] = useList("hosts", listHosts, [], HOSTS_MATCHES, { delay: 200 });
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
            <ErrorAlert error={error} close={clear} />
            <Listed list={list}>
                {value => (
                    <DataTable
                        label={_("libvirt hosts")}
                        rows={value}
                        rowKey={h => h.id}
                        empty={_("No libvirt host was added.")}
                        columns={[
                            {
                                title: _("Name"),
                                cell: h => (
                                    <a href={"#/sources/libvirt/" + encodeURIComponent(h.id)}>
                                        {h.name || h.id}
                                    </a>
                                ),
                            },
                            { title: _("URI"), cell: h => <span className="hyper-path">{h.uri}</span> },
                            {
                                title: _("State"),
                                cell: h =>
                                    h.error ||
                                    (h.state === "CONNECTED" ? _("Connected") : _("Not connected")),
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
            </Listed>
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
    const [list] = useList("manager", bus => getConfig(bus, "manager"));
    return (
        <Section title={_("Image directories")} id="directories">
            <Listed list={list}>
                {value => (
                    <DataTable
                        label={_("Image directories")}
                        rows={value.files?.roots || []}
                        rowKey={r => r}
                        empty={_("No directory is configured in files.roots.")}
                        columns={[
                            {
                                title: _("Path"),
                                cell: r => (
                                    <a href={"#/sources/directory?path=" + encodeURIComponent(r)}>{r}</a>
                                ),
                            },
                        ]}
                    />
                )}
            </Listed>
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

export function SourcesView({ path: [kind, name, vm], options }) {
    if (kind === "vsphere" && name) return <ServerVms name={name} />;
    if (kind === "libvirt" && vm) return <HostVm host={name} vm={vm} />;
    if (kind === "libvirt" && name) return <HostVms id={name} />;
    if (kind === "directory" && options.path) return <Directory path={options.path} />;
    return <Sources />;
}
