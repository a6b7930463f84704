// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What bus.js uses of cockpit.js, without a bridge: replies come from a table of functions, and tests emit
// signals.

const matches = (match, signal) =>
    (!match.interface || match.interface === signal.iface) &&
    (!match.member || match.member === signal.member) &&
    (!match.path || match.path === signal.path) &&
    (!match.path_namespace ||
        signal.path === match.path_namespace ||
        signal.path.startsWith(match.path_namespace + "/")) &&
    (match.arg0 === undefined || match.arg0 === signal.args[0]);

export function fakeCockpit(replies) {
    const cockpit = { calls: [], opened: [], subscriptions: new Set(), owners: new Set() };

    cockpit.variant = (t, v) => ({ t, v });
    cockpit.dbus = (name, options) => {
        cockpit.opened.push({ name, ...options });
        return {
            async call(path, iface, member, args, { type }) {
                cockpit.calls.push({ name, path, iface, member, args, type });
                const reply = replies[member];
                if (!reply)
                    throw Object.assign(new Error("Unknown method"), {
                        name: "org.freedesktop.DBus.Error.UnknownMethod",
                    });
                return reply(...args);
            },
            subscribe(match, callback) {
                const subscription = {
                    match,
                    callback,
                    remove() {
                        cockpit.subscriptions.delete(subscription);
                    },
                };
                cockpit.calls.push({ name, member: "subscribe" });
                cockpit.subscriptions.add(subscription);
                return subscription;
            },
            addEventListener(event, callback) {
                cockpit.owners.add(callback);
            },
            removeEventListener(event, callback) {
                cockpit.owners.delete(callback);
            },
            close() {
                cockpit.opened = cockpit.opened.filter(o => o.name !== name);
            },
        };
    };
    cockpit.emit = (path, iface, member, args) => {
        for (const s of cockpit.subscriptions)
            if (matches(s.match, { path, iface, member, args })) s.callback(path, iface, member, args);
    };
    cockpit.owner = name => cockpit.owners.forEach(callback => callback({}, name));
    cockpit.count = member => cockpit.calls.filter(c => c.member === member).length;
    return cockpit;
}

export function busError(name, message) {
    return Object.assign(new Error(message), { name });
}
