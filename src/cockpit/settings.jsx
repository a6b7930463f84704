// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The configuration in force, keys of the HTTP API, webhooks, and roles.

import React, { useState } from "react";
import * as pf from "./pf.js";
import { getConfig, listKeys, listWebhooks } from "./bus.js";
import { numberText, timeText } from "./text.js";
import {
    Confirm,
    DataTable,
    ErrorAlert,
    Facts,
    FormDialog,
    Heading,
    Listed,
    Notice,
    Section,
    useBus,
    useCall,
    useList,
} from "./ui.jsx";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

// A nested object as [name, text], such as ["jobs.max_running", "4"].
export function flatten(object, prefix = "") {
    return Object.entries(object).flatMap(([key, value]) =>
        value !== null && typeof value === "object" && !Array.isArray(value)
            ? flatten(value, prefix + key + ".")
            : [[prefix + key, typeof value === "string" ? value : JSON.stringify(value)]],
    );
}

function Configuration() {
    const bus = useBus();
    const [list, again] = useList("manager", bus => getConfig(bus, "manager"));
    const { error, busy, run, clear } = useCall();
    const [restart, setRestart] = useState(null);

    const reload = () =>
        run(async () => {
            await bus.call("manager", "Reload");
            const [value] = await bus.callObject(
                "manager",
                "/org/hyper1",
                "org.freedesktop.DBus.Properties",
                "Get",
                "org.hyper1.Manager",
                "RestartNeeded",
            );
            setRestart(value.v);
            again();
        });
    return (
        <Section
            title={_("Configuration in force")}
            id="configuration"
            actions={
                <pf.Button
                    id="reload"
                    variant="secondary"
                    isLoading={busy}
                    isDisabled={busy}
                    onClick={reload}
                >
                    {_("Reload")}
                </pf.Button>
            }
        >
            <ErrorAlert error={error} close={clear} />
            {restart && (
                <Notice
                    isInline
                    isLiveRegion
                    variant={restart.length > 0 ? "warning" : "success"}
                    title={_("The configuration was reloaded")}
                    id="reloaded"
                >
                    {restart.length > 0 &&
                        cockpit.format(
                            _("These settings take effect after a restart: $0"),
                            restart.join(", "),
                        )}
                </Notice>
            )}
            <Listed list={list}>{value => <Facts terms={flatten(value)} />}</Listed>
        </Section>
    );
}

const SCOPES = [
    ["read", _("Read")],
    ["submit", _("Submit jobs")],
    ["work", _("Execute jobs as a worker")],
    ["admin", _("Administer")],
];

function AddKey({ onClose, added }) {
    const bus = useBus();
    async function submit({ name, ...ticked }) {
        const scopes = SCOPES.map(([scope]) => scope).filter(scope => ticked[scope]);
        const [, key] = await bus.call("manager", "AddKey", JSON.stringify({ name, scopes }));
        added({ name, key });
    }
    return (
        <FormDialog
            title={_("Add key")}
            action={_("Add")}
            submit={submit}
            onClose={onClose}
            fields={[
                { name: "name", label: _("Name"), required: true },
                ...SCOPES.map(([name, label]) => ({
                    name,
                    label,
                    type: "checkbox",
                    initial: name === "read",
                })),
            ]}
        />
    );
}

function Keys() {
    const bus = useBus();
    const [list, again] = useList("manager", listKeys);
    const [dialog, setDialog] = useState(null);
    const [key, setKey] = useState(null);
    return (
        <Section
            title={_("Keys of the HTTP API")}
            id="keys"
            actions={
                <pf.Button id="add-key" variant="secondary" onClick={() => setDialog({ add: true })}>
                    {_("Add key")}
                </pf.Button>
            }
        >
            {key && (
                <Notice
                    isInline
                    isLiveRegion
                    variant="success"
                    id="new-key"
                    actionClose={<pf.AlertActionCloseButton onClose={() => setKey(null)} />}
                    title={cockpit.format(_("The key $0 is shown only now:"), key.name)}
                >
                    <code className="hyper-path">{key.key}</code>
                </Notice>
            )}
            <Listed list={list}>
                {value => (
                    <DataTable
                        label={_("Keys of the HTTP API")}
                        rows={value}
                        rowKey={k => k.name}
                        empty={_("There are no keys.")}
                        columns={[
                            { title: _("Name"), cell: k => k.name },
                            { title: _("Scopes"), cell: k => k.scopes.join(", ") },
                            { title: _("Created"), cell: k => timeText(k.created_at) },
                            {
                                title: _("Expires"),
                                cell: k => (k.expired ? _("Expired") : timeText(k.expires_at)),
                            },
                            {
                                cell: k => (
                                    <pf.Button
                                        size="sm"
                                        variant="secondary"
                                        onClick={() => setDialog({ remove: k })}
                                        aria-label={cockpit.format(_("Remove $0"), k.name)}
                                    >
                                        {_("Remove")}
                                    </pf.Button>
                                ),
                            },
                        ]}
                    />
                )}
            </Listed>
            {dialog?.add && (
                <AddKey
                    onClose={() => setDialog(null)}
                    added={added => {
                        setKey(added);
                        again();
                    }}
                />
            )}
            {dialog?.remove && (
                <Confirm
                    title={cockpit.format(_("Remove $0?"), dialog.remove.name)}
                    action={_("Remove")}
                    onClose={() => setDialog(null)}
                    onConfirm={async () => {
                        await bus.call("manager", "RemoveKey", dialog.remove.name);
                        again();
                    }}
                >
                    {_("Requests with this key are refused from now on.")}
                </Confirm>
            )}
        </Section>
    );
}

function AddWebhook({ onClose, added }) {
    const bus = useBus();
    async function submit({ url, events, secret }) {
        await bus.call(
            "manager",
            "AddWebhook",
            JSON.stringify({
                url,
                events: events.split(/[\s,]+/).filter(Boolean),
                ...(secret && { secret }),
            }),
            {},
        );
        added();
    }
    return (
        <FormDialog
            title={_("Add webhook")}
            action={_("Add")}
            submit={submit}
            onClose={onClose}
            fields={[
                { name: "url", label: _("Address"), required: true },
                { name: "events", label: _("Events"), help: _("Separated by commas. Empty: all events") },
                { name: "secret", label: _("Secret for signatures"), type: "password" },
            ]}
        />
    );
}

function Webhooks() {
    const bus = useBus();
    const [list, again] = useList("manager", listWebhooks);
    const { error, busy, run, clear } = useCall();
    const [dialog, setDialog] = useState(null);
    const [result, setResult] = useState(null);

    async function test(webhook) {
        const reply = await run(() =>
            bus.call("manager", "TestWebhook", JSON.stringify({ index: webhook.index })),
        );
        if (reply) setResult(JSON.parse(reply[0]));
    }
    const actions = w => (
        <div className="hyper-actions">
            <pf.Button
                size="sm"
                variant="secondary"
                isDisabled={busy}
                onClick={() => test(w)}
                aria-label={cockpit.format(_("Test $0"), w.url)}
            >
                {_("Test")}
            </pf.Button>
            {w.origin === "api" && (
                <pf.Button
                    size="sm"
                    variant="secondary"
                    onClick={() => setDialog({ remove: w })}
                    aria-label={cockpit.format(_("Remove $0"), w.url)}
                >
                    {_("Remove")}
                </pf.Button>
            )}
        </div>
    );
    return (
        <Section
            title={_("Webhooks")}
            id="webhooks"
            actions={
                <pf.Button id="add-webhook" variant="secondary" onClick={() => setDialog({ add: true })}>
                    {_("Add webhook")}
                </pf.Button>
            }
        >
            <ErrorAlert error={error} close={clear} />
            {result && (
                <Notice
                    isInline
                    isLiveRegion
                    variant={result.success ? "success" : "danger"}
                    title={
                        result.success
                            ? cockpit.format(_("$0 has accepted the event"), result.url)
                            : cockpit.format(
                                  _("$0 has not accepted the event: $1"),
                                  result.url,
                                  result.error || String(result.status_code),
                              )
                    }
                />
            )}
            <Listed list={list}>
                {value => (
                    <DataTable
                        label={_("Webhooks")}
                        rows={value}
                        rowKey={w => w.index}
                        empty={_("There are no webhooks.")}
                        columns={[
                            { title: _("Address"), cell: w => <span className="hyper-path">{w.url}</span> },
                            { title: _("Events"), cell: w => (w.events || []).join(", ") || _("All") },
                            { title: _("Delivered"), cell: w => numberText(w.delivered || 0) },
                            { title: _("Failed"), cell: w => numberText(w.failed || 0) },
                            { cell: actions },
                        ]}
                    />
                )}
            </Listed>
            {dialog?.add && <AddWebhook onClose={() => setDialog(null)} added={again} />}
            {dialog?.remove && (
                <Confirm
                    title={cockpit.format(_("Remove $0?"), dialog.remove.url)}
                    action={_("Remove")}
                    onClose={() => setDialog(null)}
                    onConfirm={async () => {
                        await bus.call("manager", "RemoveWebhook", dialog.remove.index);
                        again();
                    }}
                >
                    {_("Deliveries that are pending are dropped.")}
                </Confirm>
            )}
        </Section>
    );
}

const ROLES = [
    ["hyper-viewer", _("Sees migrations, their logs, and virtual machines")],
    ["hyper-operator", _("Also starts and cancels migrations, and changes schedules and virtual machines")],
    ["hyper-admin", _("Also changes sources, hosts, webhooks and keys, and uses all directories")],
];

function Roles() {
    return (
        <Section title={_("Roles")} id="roles">
            <p>
                {_(
                    "The role of a user is membership in one of these groups. Root, and users with administrative access, are administrators.",
                )}
            </p>
            <DataTable
                label={_("Roles")}
                rows={ROLES}
                rowKey={([group]) => group}
                columns={[
                    { title: _("Group"), cell: ([group]) => group },
                    { title: _("Permits"), cell: ([, text]) => text },
                ]}
            />
        </Section>
    );
}

export function Settings() {
    return (
        <div className="hyper-stack">
            <Heading title={_("Settings")} />
            <Keys />
            <Webhooks />
            <Roles />
            <Configuration />
        </div>
    );
}
