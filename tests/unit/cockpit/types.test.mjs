// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The methods that the page calls exist, and have these arguments.

import assert from "node:assert/strict";
import fs from "node:fs";
import test from "node:test";
import { TYPES } from "../../../src/cockpit/bus.js";

const top = new URL("../../../", import.meta.url);

function argumentsOf(iface, method) {
    const xml = fs.readFileSync(new URL(`dbus/${iface}.xml`, top), "utf8");
    const [, , body = ""] =
        new RegExp(`<method name="${method}"(/>|>([\\s\\S]*?)</method>)`).exec(xml) ||
        assert.fail(`${iface} has no method ${method}`);
    return (body.match(/<arg [^>]*>/g) || [])
        .filter(arg => arg.includes('direction="in"'))
        .map(arg => /type="([^"]*)"/.exec(arg)[1])
        .join("");
}

test("the types of arguments are those of the interfaces", () => {
    for (const [iface, methods] of Object.entries(TYPES).filter(([name]) => name.startsWith("org.hyper1")))
        for (const [method, type] of Object.entries(methods))
            assert.equal(type, argumentsOf(iface, method), `${iface}.${method}`);
});

test("all methods that are called have types, and no other has", () => {
    const source = new URL("src/cockpit/", top);
    const called = new Set();
    for (const file of fs.readdirSync(source).filter(f => /\.jsx?$/.test(f))) {
        const text = fs.readFileSync(new URL(file, source), "utf8");
        for (const [, name] of text.matchAll(
            /\bcall(?:Object)?\((?:[^"()]|"[a-z][^"]*"|"\/[^"]*")*?"([A-Z]\w+)"/g,
        ))
            called.add(name);
        for (const [, name] of text.matchAll(/"((?:Enable|Disable|List|Connect)\w*)"/g)) called.add(name);
    }
    const known = new Set(Object.values(TYPES).flatMap(Object.keys));
    assert.deepEqual(
        [...known].filter(name => !called.has(name)),
        [],
    );
});
