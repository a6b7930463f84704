// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The job spec of what a user has entered.

export const DEFAULTS = {
    kind: "kvm",
    directory: "/var/lib/libvirt/images",
    name: "",
    format: "",
    verify: "",
    fix: "",
    power: "keep",
    compress: false,
    start: false,
    bootCheck: false,
    networks: {},
    storages: {},
    priority: "50",
    retries: "3",
};

// The destination of several sources is a directory, and each gets its own name.
export function destinationOf(form, several, directory = form.directory) {
    const format = form.format ? { format: form.format } : {};
    if (form.kind === "file")
        return {
            type: "file",
            path:
                !several && form.name ? `${directory.replace(/\/+$/, "")}/${form.name}` : directory,
            ...format,
        };
    const networks = Object.entries(form.networks).filter(([, to]) => to !== "");
    return {
        type: "kvm",
        directory,
        ...(!several && form.name && { name: form.name }),
        ...format,
        ...(form.start && { start: true }),
        ...(networks.length > 0 && { network_map: Object.fromEntries(networks) }),
    };
}

// The file or directory whose free space is shown; null while the path is not complete.
export function placeOf(form, several) {
    const path = form.kind === "file" ? destinationOf(form, several).path : form.directory;
    return path.startsWith("/") ? { type: "file", path } : null;
}

// What is done if a virtual machine of vSphere runs. "warm" is not a value of the bus.
const powerOf = power => (power === "warm" ? { warm: true } : { source_power: power });

export function specOf(source, form, several = false, found = null) {
    return {
        operation: "convert",
        source,
        destination: destinationOf(form, several, directoryOf(form, found)),
        parameters: {
            kind: "migration",
            ...(form.fix && { fix: form.fix }),
            ...(source.type === "vsphere" && form.power !== "keep" && powerOf(form.power)),
            ...(form.verify && { verify: form.verify === "full" ? "full" : true }),
            ...(form.compress && { compress: true }),
            ...(form.kind === "kvm" && form.bootCheck && { boot_check: true }),
        },
        execution_policy: { priority: Number(form.priority), retry_count: Number(form.retries) },
    };
}

// The sources that were ticked in a list of virtual machines: options of the location.
export function sourcesOf({ source, vm }) {
    const vms = vm === undefined ? [] : [vm].flat();
    return source ? vms.map(path => ({ type: "vsphere", name: source, vm_path: path })) : [];
}

// The source of a path; null while it is not complete.
export const sourceOf = path =>
    path.startsWith("/") && !path.endsWith("/") ? { type: "file", path } : null;

// The size of all that was found, 0 if it is not known.
export const sizeOf = found => found.reduce((sum, f) => sum + (f?.size || 0), 0);

// The storage of a virtual machine, which its first disk names: "[storage] directory/file".
const storageOf = found => /^\[([^\]]+)\]/.exec(found?.disks?.[0]?.file || "")?.[1];

// The storages of what was found, each once.
export const storagesOf = found => [...new Set(found.map(storageOf).filter(Boolean))];

// What was entered for a name, which may be any text: "" if nothing was.
export const entered = (values, name) => (Object.hasOwn(values, name) && values[name]) || "";

// The directory for a virtual machine: that of its storage, or that of all.
export const directoryOf = (form, found) => entered(form.storages, storageOf(found)) || form.directory;

// The size of all that will be in a directory.
export const sizeIn = (directory, form, found) =>
    sizeOf(found.filter(f => directoryOf(form, f) === directory));

// The networks of what was found, each once.
export function networksOf(found) {
    const nics = found.flatMap(f => f?.vm?.nics || []);
    return [...new Set(nics.map(nic => nic.network).filter(Boolean))];
}

// What completes a path: the names in the directory of the path that begin with its last part.
export function splitPath(path) {
    const end = path.lastIndexOf("/") + 1;
    return { directory: path.slice(0, end).replace(/(.)\/+$/, "$1"), prefix: path.slice(end) };
}

export function completions(path, entries) {
    const { directory, prefix } = splitPath(path);
    const base = directory === "/" || directory === "" ? directory : directory + "/";
    return entries.filter(e => e.name.startsWith(prefix)).map(e => base + e.name + (e.directory ? "/" : ""));
}
