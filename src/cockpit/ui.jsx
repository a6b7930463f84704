// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parts that several views have in common.

import React, { createContext, useContext, useEffect, useRef, useState } from "react";
import * as pf from "./pf.js";
import { describeError, followList } from "./bus.js";
import { concernTexts } from "./concern.js";
import { errorText, stateText } from "./text.js";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

export const Bus = createContext(null);
export const useBus = () => useContext(Bus);

export const go = (...path) => cockpit.location.go(path);

// Follow something on the bus while the view is shown: begin(changed) is one of the follow functions of
// bus.js. Returns the last value, and what begin() has returned.
export function useFollow(begin, dependencies) {
    const [value, setValue] = useState(null);
    const handle = useRef(null);
    useEffect(() => {
        setValue(null);
        handle.current = begin(setValue);
        return typeof handle.current === "function" ? handle.current : handle.current.stop;
    }, dependencies);
    return [value, handle];
}

// Follow a list that is requested as a whole, again after each signal that matches:
// [{ value, error }, again].
export function useList(service, load, dependencies = [], matches = [], options = {}) {
    const bus = useBus();
    const [list, handle] = useFollow(
        changed => followList(bus, service, matches, () => load(bus), changed, options),
        [bus, ...dependencies],
    );
    return [list, () => handle.current.again()];
}

// A call whose error is shown: run(promise) returns what it resolves to, or undefined.
export function useCall() {
    const [error, setError] = useState(null);
    const [busy, setBusy] = useState(false);

    async function run(call) {
        setBusy(true);
        try {
            const result = await call();
            setError(null);
            return result ?? true;
        } catch (e) {
            setError(describeError(e));
            return undefined;
        } finally {
            setBusy(false);
        }
    }
    return { error, busy, run, clear: () => setError(null) };
}

// An alert whose title is not a heading.
export const Notice = props => <pf.Alert component="p" {...props} />;

export function ErrorAlert({ error, close, title }) {
    return (
        error && (
            <Notice
                isInline
                isLiveRegion
                variant="danger"
                className="hyper-error"
                title={title || errorText(error)}
                actionClose={close && <pf.AlertActionCloseButton onClose={close} />}
            >
                {title ? errorText(error) : null}
            </Notice>
        )
    );
}

export function Loading() {
    return <pf.Spinner aria-label={_("Loading")} />;
}

// What useList() has: its error, or what children(value) shows of it.
export function Listed({ list, children }) {
    if (!list) return <Loading />;
    return list.error ? <ErrorAlert error={list.error} /> : children(list.value);
}

// The heading of a view gets the focus when the view is opened, so that a screen reader announces it.
export function Heading({ title, children, focus = true }) {
    const ref = useRef(null);
    useEffect(() => {
        if (focus) ref.current?.focus({ preventScroll: true });
    }, []);
    return (
        <div className="hyper-heading" ref={ref} tabIndex={-1} role="group" aria-label={title}>
            <pf.Title headingLevel="h1" size="2xl">
                {title}
            </pf.Title>
            <div className="hyper-actions">{children}</div>
        </div>
    );
}

export function Section({ title, actions, children, id }) {
    return (
        <pf.Card id={id} component="section" aria-label={title}>
            <pf.CardHeader actions={actions && { actions, hasNoOffset: true }}>
                <pf.CardTitle component="h2">{title}</pf.CardTitle>
            </pf.CardHeader>
            <pf.CardBody className="hyper-stack">{children}</pf.CardBody>
        </pf.Card>
    );
}

// columns: [{ title, cell: row => node }]; the last one may have no title, and contains actions.
export function DataTable({ label, columns, rows, rowKey, empty }) {
    if (rows.length === 0) return <p>{empty}</p>;
    return (
        <pf.Table variant="compact" aria-label={label}>
            <pf.Thead>
                <pf.Tr>
                    {columns.map((c, i) =>
                        c.title ? (
                            <pf.Th key={i}>{c.title}</pf.Th>
                        ) : (
                            <pf.Th key={i} screenReaderText={_("Actions")} />
                        ),
                    )}
                </pf.Tr>
            </pf.Thead>
            <pf.Tbody>
                {rows.map(row => (
                    <pf.Tr key={rowKey(row)} data-id={rowKey(row)}>
                        {columns.map((c, i) => (
                            <pf.Td key={i} dataLabel={c.title || _("Actions")} isActionCell={!c.title}>
                                {c.cell(row)}
                            </pf.Td>
                        ))}
                    </pf.Tr>
                ))}
            </pf.Tbody>
        </pf.Table>
    );
}

// terms: [[term, description]]; those without a description are left out.
export function Facts({ terms }) {
    return (
        <pf.DescriptionList isHorizontal isCompact>
            {terms
                .filter(([, text]) => text !== "" && text !== null && text !== undefined)
                .map(([term, text]) => (
                    <pf.DescriptionListGroup key={term}>
                        <pf.DescriptionListTerm>{term}</pf.DescriptionListTerm>
                        <pf.DescriptionListDescription className="hyper-path">
                            {text}
                        </pf.DescriptionListDescription>
                    </pf.DescriptionListGroup>
                ))}
        </pf.DescriptionList>
    );
}

const STATE_COLORS = { COMPLETED: "green", FAILED: "red", CANCELLED: "grey", RETRYING: "orange" };

export function StateLabel({ state }) {
    return (
        <pf.Label isCompact color={STATE_COLORS[state] || "blue"}>
            {stateText(state)}
        </pf.Label>
    );
}

const SEVERITIES = { error: "danger", warning: "warning", information: "info" };

// What may prevent a migration, with what to do about it.
export function Concerns({ concerns }) {
    return (concerns || []).map((concern, i) => {
        const [text, remedy] = concernTexts(concern);
        return (
            <Notice
                key={i}
                isInline
                isPlain
                variant={SEVERITIES[concern.severity] || "info"}
                title={text}
                className="hyper-concern"
                data-code={concern.code}
            >
                {remedy}
            </Notice>
        );
    });
}

export function Confirm({ title, children, action, danger = true, onConfirm, onClose }) {
    const { error, busy, run, clear } = useCall();
    return (
        <pf.Modal isOpen onClose={onClose} variant="small" aria-labelledby="confirm-title">
            <pf.ModalHeader title={title} labelId="confirm-title" />
            <pf.ModalBody className="hyper-stack">
                <ErrorAlert error={error} close={clear} />
                <div>{children}</div>
            </pf.ModalBody>
            <pf.ModalFooter>
                <pf.Button
                    id="confirm"
                    variant={danger ? "danger" : "primary"}
                    isLoading={busy}
                    isDisabled={busy}
                    onClick={async () => (await run(onConfirm)) !== undefined && onClose()}
                >
                    {action}
                </pf.Button>
                <pf.Button variant="link" onClick={onClose}>
                    {_("Close")}
                </pf.Button>
            </pf.ModalFooter>
        </pf.Modal>
    );
}

function Control({ field, value, set, invalid }) {
    const common = {
        id: "field-" + field.name,
        value,
        onChange: (e, v) => set(v),
        isRequired: field.required,
        validated: invalid ? "error" : "default",
    };
    if (field.type === "checkbox")
        return (
            <pf.Checkbox id={common.id} label={field.label} isChecked={value} onChange={(e, v) => set(v)} />
        );
    if (field.type === "select")
        return (
            <pf.FormSelect {...common}>
                {field.options.map(([v, label]) => (
                    <pf.FormSelectOption key={v} value={v} label={label} />
                ))}
            </pf.FormSelect>
        );
    if (field.type === "textarea") return <pf.TextArea {...common} resizeOrientation="vertical" rows={4} />;
    return <pf.TextInput {...common} type={field.type || "text"} autoComplete="off" />;
}

// A field of a form: { name, label, type, required, help, options }. error is what the bus says about it.
export function Field({ field, value, set, error }) {
    const help = error || field.help;
    return (
        <pf.FormGroup
            label={field.type === "checkbox" ? undefined : field.label}
            fieldId={"field-" + field.name}
            isRequired={field.required}
        >
            <Control field={field} value={value} set={set} invalid={!!error} />
            {help && (
                <pf.FormHelperText>
                    <pf.HelperText isLiveRegion>
                        <pf.HelperTextItem variant={error ? "error" : "default"}>{help}</pf.HelperTextItem>
                    </pf.HelperText>
                </pf.FormHelperText>
            )}
        </pf.FormGroup>
    );
}

const initialValue = field => field.initial ?? (field.type === "checkbox" ? false : "");

// A dialog with some fields. submit(values) is called with all of them; the dialog is closed when it
// succeeds, and otherwise shows what is wrong, beside the fields that the error names.
export function FormDialog({ title, fields, action, submit, onClose, children }) {
    const [values, setValues] = useState(() =>
        Object.fromEntries(fields.map(f => [f.name, initialValue(f)])),
    );
    const { error, busy, run, clear } = useCall();
    const missing = fields.some(f => f.required && values[f.name] === "");
    const named = error && fields.some(f => error.fields[f.name]);

    async function onSubmit(event) {
        event?.preventDefault();
        if (!missing && (await run(() => submit(values))) !== undefined) onClose();
    }
    return (
        <pf.Modal isOpen onClose={onClose} variant="medium" aria-labelledby="dialog-title">
            <pf.ModalHeader title={title} labelId="dialog-title" />
            <pf.ModalBody className="hyper-stack">
                {!named && <ErrorAlert error={error} close={clear} />}
                {children}
                <pf.Form onSubmit={onSubmit} id="dialog-form">
                    {fields.map(field => (
                        <Field
                            key={field.name}
                            field={field}
                            value={values[field.name]}
                            error={error?.fields[field.name]}
                            set={v => setValues(all => ({ ...all, [field.name]: v }))}
                        />
                    ))}
                </pf.Form>
            </pf.ModalBody>
            <pf.ModalFooter>
                <pf.Button
                    id="dialog-submit"
                    type="submit"
                    form="dialog-form"
                    isLoading={busy}
                    isDisabled={busy || missing}
                >
                    {action}
                </pf.Button>
                <pf.Button variant="link" onClick={onClose}>
                    {_("Close")}
                </pf.Button>
            </pf.ModalFooter>
        </pf.Modal>
    );
}
