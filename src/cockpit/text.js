// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Values of the bus as text in the language of the user.

const cockpit = window.cockpit;
const _ = cockpit.gettext;

const STATES = {
    CREATED: _("Created"),
    VALIDATED: _("Validated"),
    QUEUED: _("Queued"),
    ASSIGNED: _("Assigned"),
    RUNNING: _("Running"),
    RETRYING: _("Waiting for another attempt"),
    COMPLETED: _("Completed"),
    FAILED: _("Failed"),
    CANCELLED: _("Cancelled"),
};
const PHASES = {
    initialization: _("Preparing"),
    extraction: _("Extracting"),
    inspection: _("Inspecting"),
    conversion: _("Copying"),
    verification: _("Verifying"),
    guest: _("Changing the guest"),
    finalization: _("Finishing"),
};
const POWER = {
    poweredOn: _("Running"),
    poweredOff: _("Off"),
    suspended: _("Suspended"),
    ACTIVE: _("Running"),
    STOPPED: _("Off"),
    PAUSED: _("Paused"),
    SUSPENDED: _("Suspended"),
    ERROR: _("Crashed"),
    UNKNOWN: _("Unknown"),
};
const OPERATIONS = {
    convert: _("Migration"),
    inspect: _("Inspection"),
    offline_fix: _("Guest preparation"),
    boot_repair: _("Boot loader repair"),
    selinux_prep: _("SELinux preparation"),
    lvm_repair: _("LVM repair"),
    fs_repair: _("File system repair"),
    initramfs_regenerate: _("Initramfs regeneration"),
};

export const stateText = state => STATES[state] || state;
export const phaseText = phase => PHASES[phase] || phase || "";
export const powerText = state => POWER[state] || state || "";
export const operationText = operation => OPERATIONS[operation] || operation;

// The language of the user, or that of the browser if Intl does not know it.
function locale() {
    const language = (cockpit.language || "en").replace("_", "-");
    return Intl.DateTimeFormat.supportedLocalesOf([language]).length > 0 ? language : undefined;
}

const format = (date, options) => new Intl.DateTimeFormat(locale(), options).format(date);

// Microseconds since the epoch, or RFC 3339.
const toDate = time => (typeof time === "number" ? new Date(time / 1000) : new Date(time));

export const timeText = time =>
    time ? format(toDate(time), { dateStyle: "medium", timeStyle: "medium" }) : "";
export const clockText = time => (time ? format(toDate(time), { timeStyle: "medium" }) : "");
export const numberText = n => new Intl.NumberFormat(locale()).format(n);
export const percentText = percent =>
    new Intl.NumberFormat(locale(), { style: "percent" }).format(percent / 100);
export const bytesText = bytes => (typeof bytes === "number" ? cockpit.format_bytes(bytes) : "");
export const rateText = rate => (rate > 0 ? cockpit.format_bytes_per_sec(rate) : "");

// Seconds in the two largest units, such as "1 h 20 min".
export function durationText(seconds) {
    const s = Math.round(seconds);
    const unit = (n, name) =>
        new Intl.NumberFormat(locale(), { style: "unit", unit: name, unitDisplay: "short" }).format(n);
    if (s < 60) return unit(s, "second");
    if (s < 3600) return unit(Math.round(s / 60), "minute");
    if (s < 86400)
        return `${unit(Math.floor(s / 3600), "hour")} ${unit(Math.floor((s % 3600) / 60), "minute")}`;
    return `${unit(Math.floor(s / 86400), "day")} ${unit(Math.floor((s % 86400) / 3600), "hour")}`;
}

export const remainingText = usec =>
    usec === null || usec === undefined ? "" : cockpit.format(_("$0 left"), durationText(usec / 1e6));

// What an error that describeError() has described means to a user, and what to do.
export function errorText(error) {
    switch (error.kind) {
        case "no-role":
            return _(
                "This user has no role in VM migrations. An administrator can add the user to the group hyper-viewer, hyper-operator or hyper-admin.",
            );
        case "not-permitted":
            return _(
                "This requires administrative access, or membership in the group hyper-operator or hyper-admin. Administrative access is turned on at the top of the window.",
            );
        case "no-host":
            return _(
                "No libvirt host that was added has this virtual machine. Add its host under Sources, such as qemu:///system for this machine, and try again.",
            );
        case "not-available":
            return cockpit.format(_("The service is not available: $0"), error.message);
        default:
            return error.message;
    }
}
