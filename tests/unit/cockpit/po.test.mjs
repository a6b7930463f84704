// SPDX-License-Identifier: LGPL-2.1-or-later

import assert from "node:assert/strict";
import fs from "node:fs";
import test from "node:test";
import vm from "node:vm";
import { parse, translations } from "../../../src/cockpit/po/po.js";

const source = new URL("../../../src/cockpit/", import.meta.url);
const read = name => fs.readFileSync(new URL(name, source), "utf8");
const de = read("po/de.po");

// All texts of the page that are translated, and its name in the menu.
function messages() {
    const found = new Set([JSON.parse(read("manifest.json")).menu.index.label]);
    for (const file of fs.readdirSync(source).filter(f => /\.jsx?$/.test(f)))
        for (const [, text] of read(file).matchAll(/\b_\(\s*("(?:[^"\\]|\\.)*")/g))
            found.add(JSON.parse(text));
    return found;
}

test("each text is translated, and no translation is left over", () => {
    const { "": header, ...translated } = parse(de);
    assert.match(header, /^Language: de$/m);
    const used = messages();
    assert.ok(used.size > 200);
    assert.deepEqual(
        [...used].filter(m => !translated[m]),
        [],
    );
    assert.deepEqual(
        Object.keys(translated).filter(m => !used.has(m)),
        [],
    );
});

// [code, text, remedy] of each concern, as strings of C and of JavaScript: adjacent ones are one.
const strings = '((?:"(?:[^"\\\\\\n]|\\\\.)*"\\s*)+)';
const joined = text => [...text.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([s]) => JSON.parse(s)).join("");

test("each concern that the bus may tell is translated", () => {
    const table = fs.readFileSync(new URL("../spec/concern.c", source), "utf8");
    const told = [
        ...table.matchAll(
            new RegExp(`\\[CONCERN_\\w+\\] =\\s*\\{\\s*${strings},\\s*${strings},\\s*${strings}\\}`, "g"),
        ),
    ].map(m => m.slice(1).map(joined));
    const known = [
        ...read("concern.js").matchAll(
            new RegExp(`^    (\\w+): \\[\\s*_\\(\\s*${strings}\\),\\s*_\\(\\s*${strings}\\),?\\s*\\]`, "gm"),
        ),
    ].map(([, code, ...texts]) => [code, ...texts.map(joined)]);
    assert.equal(told.length, table.match(/\[CONCERN_/g).length);
    assert.deepEqual(known, told);
});

test("a translation has the same placeholders", () => {
    const placeholders = text => (text.match(/\$\d/g) || []).sort().join();
    for (const [id, text] of Object.entries(parse(de)).filter(([id]) => id))
        assert.equal(placeholders(text), placeholders(id), id);
});

test("the script is what Cockpit expects", () => {
    const run = text => {
        let data;
        vm.runInNewContext(translations(text), {
            cockpit: {
                locale: d => {
                    data = d;
                },
            },
        });
        return data;
    };
    const german = run(de);
    assert.equal(german["Migrate"][1], "Migrieren");
    assert.equal(german[""].language, "de");
    assert.equal(german[""]["language-direction"], "ltr");
    assert.equal(german[""]["plural-forms"](2), 1);
    assert.equal(run('msgid ""\nmsgstr "Language: he\\n"\n')[""]["language-direction"], "rtl");
});

test("a damaged file is refused", () => {
    assert.throws(() => parse('msgid "a"\n"b"\n'), /line 2/);
});
