// SPDX-License-Identifier: LGPL-2.1-or-later

import assert from "node:assert/strict";
import test from "node:test";
import {
    DEFAULTS,
    completions,
    directoryOf,
    networksOf,
    placeOf,
    sizeIn,
    sizeOf,
    sourceOf,
    sourcesOf,
    specOf,
    splitPath,
    storagesOf,
} from "../../../src/cockpit/spec.js";

const file = { type: "file", path: "/srv/web.vmdk" };

test("by default, a virtual machine is defined", () => {
    assert.deepEqual(specOf(file, DEFAULTS), {
        operation: "convert",
        source: file,
        destination: { type: "kvm", directory: "/var/lib/libvirt/images" },
        parameters: { kind: "migration" },
        execution_policy: { priority: 50, retry_count: 3 },
    });
});

test("all that was entered is in the spec", () => {
    const form = {
        ...DEFAULTS,
        name: "web",
        fix: "auto",
        format: "raw",
        verify: "full",
        start: true,
        bootCheck: true,
        networks: { "VM Network": "default", other: "" },
    };
    const { destination, parameters } = specOf(file, form);
    assert.deepEqual(destination, {
        type: "kvm",
        directory: "/var/lib/libvirt/images",
        name: "web",
        format: "raw",
        start: true,
        network_map: { "VM Network": "default" },
    });
    assert.deepEqual(parameters, { kind: "migration", fix: "auto", verify: "full", boot_check: true });
});

test("an image is created in a directory, or with a name", () => {
    const form = { ...DEFAULTS, kind: "file", directory: "/srv/out/", bootCheck: true, fix: "none" };
    assert.deepEqual(specOf(file, form).destination, { type: "file", path: "/srv/out/" });
    assert.deepEqual(specOf(file, form).parameters, { kind: "migration", fix: "none" });
    assert.equal(specOf(file, { ...form, name: "a.qcow2" }).destination.path, "/srv/out/a.qcow2");
    assert.equal(specOf(file, { ...form, name: "a.qcow2" }, true).destination.path, "/srv/out/");
});

test("free space is that of the directory, or of the file in it", () => {
    assert.deepEqual(placeOf(DEFAULTS), { type: "file", path: "/var/lib/libvirt/images" });
    const form = { ...DEFAULTS, kind: "file", directory: "/srv", name: "a.qcow2" };
    assert.equal(placeOf(form).path, "/srv/a.qcow2");
    assert.equal(placeOf(form, true).path, "/srv");
    assert.equal(placeOf({ ...form, directory: "srv" }), null);
});

test("one or several virtual machines are sources", () => {
    assert.deepEqual(sourcesOf({}), []);
    assert.deepEqual(sourcesOf({ source: "vc", vm: "DC/vm/a" }), [
        { type: "vsphere", name: "vc", vm_path: "DC/vm/a" },
    ]);
    assert.equal(sourcesOf({ source: "vc", vm: ["a", "b"] }).length, 2);
    assert.deepEqual(
        networksOf([{ vm: { nics: [{ network: "n" }, { network: "n" }, {}] } }, null, { vm: null }]),
        ["n"],
    );
});

test("virtual machines of several storages go to several directories", () => {
    const on = (storage, size) => ({ size, disks: [{ file: `[${storage}] a/a.vmdk` }] });
    const others = [{ error: {} }, { disks: [{ file: "a.vmdk" }] }];
    const found = [on("fast", 1), on("slow", 2), on("fast", 4), ...others];
    assert.deepEqual(storagesOf(found), ["fast", "slow"]);
    const form = { ...DEFAULTS, storages: { fast: "/srv/fast", slow: "" } };
    assert.deepEqual(
        found.map(f => directoryOf(form, f)),
        ["/srv/fast", DEFAULTS.directory, "/srv/fast", DEFAULTS.directory, DEFAULTS.directory],
    );
    assert.equal(directoryOf(form, on("constructor", 1)), DEFAULTS.directory);
    assert.equal(sizeIn("/srv/fast", form, found), 5);
    assert.equal(sizeIn(DEFAULTS.directory, form, found), 2);
    const [source] = sourcesOf({ source: "vc", vm: "a" });
    assert.equal(specOf(source, form, true, found[0]).destination.directory, "/srv/fast");
    assert.equal(specOf(source, form, true, found[1]).destination.directory, DEFAULTS.directory);
    assert.equal(specOf(source, { ...form, kind: "file" }, true, found[0]).destination.path, "/srv/fast");
});

test("a virtual machine that runs is copied as it is, shut down, or copied while it runs", () => {
    const [source] = sourcesOf({ source: "vc", vm: "a" });
    const parameters = power => specOf(source, { ...DEFAULTS, power }).parameters;
    assert.deepEqual(parameters("keep"), { kind: "migration" });
    assert.deepEqual(parameters("shutdown"), { kind: "migration", source_power: "shutdown" });
    assert.deepEqual(parameters("warm"), { kind: "migration", warm: true });
    assert.deepEqual(specOf(file, { ...DEFAULTS, power: "shutdown" }).parameters, { kind: "migration" });
});

test("paths are completed in their directory", () => {
    assert.deepEqual(splitPath("/srv/images/we"), { directory: "/srv/images", prefix: "we" });
    assert.deepEqual(splitPath("/sr"), { directory: "/", prefix: "sr" });
    assert.deepEqual(splitPath("we"), { directory: "", prefix: "we" });
    const entries = [{ name: "web", directory: true }, { name: "web.vmdk" }, { name: "db.vmdk" }];
    assert.deepEqual(completions("/srv/we", entries), ["/srv/web/", "/srv/web.vmdk"]);
    assert.deepEqual(completions("/", [{ name: "srv", directory: true }]), ["/srv/"]);
});

test("only a complete path is inspected", () => {
    assert.deepEqual(sourceOf("/srv/a.vmdk"), { type: "file", path: "/srv/a.vmdk" });
    assert.equal(sourceOf("/srv/"), null);
    assert.equal(sourceOf("srv"), null);
    assert.equal(sizeOf([{ size: 2 }, { size: null }, { error: {} }, null]), 2);
});
