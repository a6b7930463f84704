// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A new migration: a source, and a destination. All else has defaults.

import React, { useEffect, useState } from "react";
import * as pf from "./pf.js";
import { describeError, inspectDestination, inspectSource, submitJob } from "./bus.js";
import { Inspection } from "./inspection.jsx";
import { PathInput } from "./path-input.jsx";
import {
    DEFAULTS,
    entered,
    networksOf,
    placeOf,
    sizeIn,
    sourceOf,
    sourcesOf,
    specOf,
    storagesOf,
} from "./spec.js";
import { bytesText, errorText } from "./text.js";
import {
    Concerns,
    ErrorAlert,
    Field,
    Heading,
    Section,
    go,
    useBus,
    useCall,
} from "./ui.jsx";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

const INSPECT_DELAY = 300; // milliseconds

// What is in the sources, and their concerns; null while they are inspected. A path that is being entered is
// not inspected.
function useFound(bus, sources, delay) {
    const [found, setFound] = useState(null);
    useEffect(() => {
        let current = true;
        const inspect = source =>
            inspectSource(bus, source).then(
                inspection => ({ source, ...inspection }),
                e => ({ source, error: describeError(e) }),
            );
        setFound(null);
        const timer = setTimeout(
            () => Promise.all(sources.map(inspect)).then(all => current && setFound(all)),
            delay,
        );
        return () => {
            current = false;
            clearTimeout(timer);
        };
    }, [JSON.stringify(sources)]);
    return found;
}

const placeError = error => error.fields["destination.path"] || errorText(error);

// Free space of the destination, and what prevents a job. A text that is being entered is not inspected.
function useDestination(bus, destination, size) {
    const [found, setFound] = useState(null);
    useEffect(() => {
        let current = true;
        setFound(null);
        if (!destination) return undefined;
        const timer = setTimeout(
            () =>
                inspectDestination(bus, destination, size).then(
                    result => current && setFound(result),
                    e => current && setFound({ error: placeError(describeError(e)) }),
                ),
            INSPECT_DELAY,
        );
        return () => {
            current = false;
            clearTimeout(timer);
        };
    }, [JSON.stringify(destination), size]);
    return found;
}

function Found({ found }) {
    if (!found)
        return (
            <p>
                <pf.Spinner size="md" aria-label={_("Loading")} />
            </p>
        );
    return found.map(({ source, error, ...inspection }, i) => {
        const path = source.vm_path || source.path;
        const name = inspection.vm?.name || path;
        return (
            <Section key={path} title={name} id={"found-" + i}>
                <ErrorAlert error={error} />
                {!error && <Inspection name={name} inspection={inspection} />}
            </Section>
        );
    });
}

const KINDS = [
    ["kvm", _("Virtual machine on this host")],
    ["file", _("Disk image")],
];

function more(kind, vsphere, several) {
    const vm = kind === "kvm";
    const formats = vm ? ["qcow2", "raw"] : ["qcow2", "raw", "vmdk", "ova", "ovf"];
    return [
        !several && {
            name: "name",
            label: vm ? _("Name of the virtual machine") : _("File name"),
            help: _("By default, the name of the source"),
        },
        {
            name: "format",
            label: _("Format"),
            type: "select",
            options: [["", _("Default")], ...formats.map(f => [f, f])],
        },
        {
            name: "verify",
            label: _("Verification"),
            type: "select",
            options: [
                ["", _("None")],
                ["sample", _("All data and a sample of the zeroes")],
                ["full", _("All bytes")],
            ],
        },
        {
            name: "fix",
            label: _("Guest"),
            type: "select",
            options: [
                ["", _("Default")],
                ["auto", _("Prepare it for KVM")],
                ["none", _("Do not change it")],
            ],
        },
        vsphere && {
            name: "power",
            label: _("If the source runs"),
            type: "select",
            options: [
                ["keep", _("Copy it as it is")],
                ["shutdown", _("Shut down its guest")],
                ["poweroff", _("Power it off")],
                ["warm", _("Copy it while it runs, and shut it down for the last pass")],
            ],
        },
        { name: "compress", label: _("Compress the disks"), type: "checkbox" },
        vm && { name: "start", label: _("Start the virtual machine"), type: "checkbox" },
        vm && { name: "bootCheck", label: _("See whether the guest starts"), type: "checkbox" },
        { name: "priority", label: _("Priority, 0 to 100"), type: "number" },
        { name: "retries", label: _("Retries, 0 to 5"), type: "number" },
    ].filter(Boolean);
}

function Networks({ networks, form, set }) {
    return networks.map(network => (
        <Field
            key={network}
            value={entered(form.networks, network)}
            field={{
                name: "network-" + network,
                label: cockpit.format(_("Network $0 becomes"), network),
                help: _("A network or bridge of libvirt. Empty: the only network, if there is one"),
            }}
            set={v => set("networks", { ...form.networks, [network]: v })}
        />
    ));
}

// The names of the fields of the bus, by those of the form.
const FIELDS = {
    source: ["source.path", "source.format", "source"],
    directory: ["destination.directory", "destination.path", "destination"],
    name: ["destination.name"],
    format: ["destination.format"],
    verify: ["parameters.verify"],
    fix: ["parameters.fix"],
    power: ["parameters.source_power", "parameters.warm"],
    compress: ["parameters.compress"],
    start: ["destination.start"],
    bootCheck: ["parameters.boot_check"],
    priority: ["execution_policy.priority"],
    retries: ["execution_policy.retry_count"],
};

function Helper({ error, children }) {
    return (
        (error || children) && (
            <pf.FormHelperText>
                <pf.HelperText isLiveRegion>
                    <pf.HelperTextItem variant={error ? "error" : "default"}>
                        {error || children}
                    </pf.HelperTextItem>
                </pf.HelperText>
            </pf.FormHelperText>
        )
    );
}

// The free space of a directory, and what prevents its use.
function Space({ space, error, help, id }) {
    const free =
        typeof space?.free === "number" &&
        cockpit.format(_("$0 of $1 are free"), bytesText(space.free), bytesText(space.total));
    return (
        <>
            <Helper error={error || space?.error}>{free ? <span id={id}>{free}</span> : help}</Helper>
            <Concerns concerns={space?.concerns} />
        </>
    );
}

// Where the virtual machines of a storage go.
function Storage({ bus, storage, form, found, set }) {
    const directory = entered(form.storages, storage);
    const place = directory && placeOf({ ...form, directory }, true);
    const space = useDestination(bus, place, sizeIn(directory, form, found));
    const id = "field-storage-" + storage;
    return (
        <pf.FormGroup label={cockpit.format(_("Storage $0 becomes"), storage)} fieldId={id}>
            <PathInput
                id={id}
                value={directory}
                set={v => set("storages", { ...form.storages, [storage]: v })}
                directories
            />
            <Space space={space} help={_("A directory. Empty: the one above")} id={"free-" + storage} />
        </pf.FormGroup>
    );
}

function Destination({ form, set, errorOf, space }) {
    return (
        <>
            <Field
                field={{ name: "kind", label: _("Destination"), type: "select", options: KINDS }}
                value={form.kind}
                set={v => set("kind", v)}
            />
            <pf.FormGroup label={_("Directory")} fieldId="field-directory" isRequired>
                <PathInput
                    id="field-directory"
                    value={form.directory}
                    set={v => set("directory", v)}
                    directories
                    invalid={!!errorOf("directory")}
                />
                <Space space={space} error={errorOf("directory")} id="free" />
            </pf.FormGroup>
        </>
    );
}

// Submit a job for each source. If one fails, those that were submitted are not submitted again.
async function submitAll(bus, specs, submitted) {
    for (const spec of specs) {
        const key = JSON.stringify(spec.source);
        if (!submitted.has(key)) submitted.set(key, await submitJob(bus, spec));
    }
    return [...submitted.values()];
}

export function NewMigration({ options }) {
    const bus = useBus();
    const ticked = sourcesOf(options);
    const several = ticked.length > 1;
    const [path, setPath] = useState(options.path || "");
    const [form, setForm] = useState(DEFAULTS);
    const [isOpen, setOpen] = useState(false);
    const [submitted] = useState(() => new Map());
    const { error, busy, run, clear } = useCall();
    const source = sourceOf(path);
    const sources = ticked.length > 0 ? ticked : [source].filter(Boolean);
    const found = useFound(bus, sources, ticked.length > 0 ? 0 : INSPECT_DELAY);
    const space = useDestination(
        bus,
        placeOf(form, several),
        sizeIn(form.directory, form, found || []),
    );
    // Virtual machines of one storage go to one directory
    const storages = several ? storagesOf(found || []) : [];
    const networks = form.kind === "kvm" ? networksOf(found || []) : [];
    const set = (name, value) => setForm(all => ({ ...all, [name]: value }));
    const errorOf = name => FIELDS[name]?.map(f => error?.fields[f]).find(Boolean);
    const placed =
        error &&
        Object.keys(error.fields).length > 0 &&
        Object.keys(error.fields).every(f => Object.values(FIELDS).some(names => names.includes(f)));

    async function onSubmit(event) {
        event.preventDefault();
        const use = ticked.length > 0 ? ticked : [{ type: "file", path }];
        const ids = await run(() =>
            submitAll(
                bus,
                use.map((s, i) => specOf(s, form, several, found?.[i])),
                submitted,
            ),
        );
        if (ids) ids.length === 1 ? go("migration", ids[0]) : go();
    }

    return (
        <div className="hyper-stack">
            <pf.Breadcrumb aria-label={_("Path")}>
                <pf.BreadcrumbItem to="#/">{_("Migrations")}</pf.BreadcrumbItem>
                <pf.BreadcrumbItem isActive>{_("New migration")}</pf.BreadcrumbItem>
            </pf.Breadcrumb>
            <Heading title={_("New migration")} />
            {!placed && <ErrorAlert error={error} close={clear} />}
            <pf.Form onSubmit={onSubmit} className="hyper-form" id="new-migration">
                {ticked.length === 0 && (
                    <pf.FormGroup label={_("Disk image, OVA or OVF")} fieldId="field-source" isRequired>
                        <PathInput
                            id="field-source"
                            value={path}
                            set={setPath}
                            invalid={!!errorOf("source")}
                        />
                        <Helper error={errorOf("source")}>{_("The path of a file on this machine")}</Helper>
                    </pf.FormGroup>
                )}
                {sources.length > 0 && <Found found={found} />}
                <Destination form={form} set={set} errorOf={errorOf} space={space} />
                {storages.length > 1 &&
                    storages.map(storage => (
                        <Storage
                            key={storage}
                            bus={bus}
                            storage={storage}
                            form={form}
                            found={found || []}
                            set={set}
                        />
                    ))}
                {several && <Networks networks={networks} form={form} set={set} />}
                <pf.ExpandableSection
                    toggleText={_("More")}
                    toggleId="more-toggle"
                    contentId="more-content"
                    isExpanded={isOpen}
                    onToggle={(e, v) => setOpen(v)}
                >
                    <div className="hyper-stack">
                        {more(form.kind, ticked.length > 0, several).map(field => (
                            <Field
                                key={field.name}
                                field={field}
                                value={form[field.name]}
                                error={errorOf(field.name)}
                                set={v => set(field.name, v)}
                            />
                        ))}
                        {!several && <Networks networks={networks} form={form} set={set} />}
                    </div>
                </pf.ExpandableSection>
                <pf.ActionGroup>
                    <pf.Button
                        type="submit"
                        id="migrate"
                        isLoading={busy}
                        isDisabled={busy || (ticked.length === 0 && !path) || !form.directory}
                    >
                        {_("Migrate")}
                    </pf.Button>
                    <pf.Button variant="link" onClick={() => go()}>
                        {_("Close")}
                    </pf.Button>
                </pf.ActionGroup>
            </pf.Form>
        </div>
    );
}
