// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A text field for a path, with completion below the directories of files.roots.

import React, { useEffect, useState } from "react";
import * as pf from "./pf.js";
import { listFiles } from "./bus.js";
import { completions, splitPath } from "./spec.js";
import { useBus } from "./ui.jsx";

const _ = window.cockpit.gettext;
const SUGGESTIONS_MAX = 50;

// What begins like the path. The directories of files.roots are suggested for a path that is above them.
// A user who may not list a directory gets no suggestions.
async function suggest(bus, path) {
    const { directory } = splitPath(path);
    try {
        return completions(path, await listFiles(bus, directory));
    } catch {
        const roots = await listFiles(bus, "").catch(() => []);
        return roots.map(r => r.name + "/").filter(root => root.startsWith(path) && root !== path);
    }
}

export function PathInput({ id, value, set, invalid, directories = false }) {
    const bus = useBus();
    const [open, setOpen] = useState(false);
    const [known, setKnown] = useState([]);
    const [chosen, setChosen] = useState(null);
    // Those of an earlier text that are right for this one, until the others are there
    const found = known.filter(path => path.startsWith(value) && path !== value);
    const active = found.indexOf(chosen);
    const shown = open && found.length > 0;

    useEffect(() => {
        let current = true;
        if (open)
            suggest(bus, value).then(list => {
                if (!current) return;
                setKnown(list.filter(path => !directories || path.endsWith("/")).slice(0, SUGGESTIONS_MAX));
            });
        return () => {
            current = false;
        };
    }, [value, open]);

    function choose(path) {
        set(path);
        if (!path.endsWith("/")) setOpen(false);
    }
    function onKeyDown(event) {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            setOpen(true);
            const step = event.key === "ArrowDown" ? 1 : found.length - 1 + (active < 0);
            if (found.length > 0) setChosen(found[(active + step) % found.length]);
        } else if (event.key === "Enter" && shown && active >= 0) {
            event.preventDefault();
            choose(found[active]);
        } else if (event.key === "Escape" && shown) {
            event.stopPropagation();
            setOpen(false);
        }
    }
    return (
        <div className="hyper-combobox">
            <pf.TextInput
                id={id}
                value={value}
                isRequired
                validated={invalid ? "error" : "default"}
                autoComplete="off"
                spellCheck="false"
                dir="ltr"
                role="combobox"
                aria-autocomplete="list"
                aria-expanded={shown}
                aria-controls={id + "-list"}
                aria-activedescendant={shown && active >= 0 ? `${id}-${active}` : undefined}
                onChange={(e, v) => {
                    set(v);
                    setOpen(true);
                }}
                onKeyDown={onKeyDown}
                onBlur={() => setOpen(false)}
            />
            <ul
                id={id + "-list"}
                role="listbox"
                aria-label={_("Suggestions")}
                hidden={!shown}
                className="hyper-suggestions"
            >
                {found.map((path, i) => (
                    <li
                        key={path}
                        id={`${id}-${i}`}
                        role="option"
                        aria-selected={i === active}
                        onMouseDown={e => {
                            e.preventDefault();
                            choose(path);
                        }}
                    >
                        {path}
                    </li>
                ))}
            </ul>
        </div>
    );
}
