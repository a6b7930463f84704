// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The page: its navigation, and the view that the location names.

import React, { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import "./index.css";
import * as pf from "./pf.js";
import { openBus } from "./bus.js";
import { followTheme } from "./theme.js";
import { Bus } from "./ui.jsx";
import { Migration } from "./migration.jsx";
import { Migrations } from "./migrations.jsx";
import { NewMigration } from "./new-migration.jsx";
import { Schedules } from "./schedules.jsx";
import { Settings } from "./settings.jsx";
import { SourcesView } from "./sources.jsx";
import { Workers } from "./workers.jsx";

const cockpit = window.cockpit;
const _ = cockpit.gettext;

// [path, title, view(rest of the path, options)]; those without a title are not in the navigation.
const VIEWS = [
    ["", _("Migrations"), () => <Migrations />],
    ["migration", null, ([id]) => <Migration id={id} />],
    ["sources", _("Sources"), (path, options) => <SourcesView path={path} options={options} />],
    ["schedules", _("Schedules"), () => <Schedules />],
    ["workers", _("Workers"), () => <Workers />],
    ["settings", _("Settings"), () => <Settings />],
    ["new", null, (path, options) => <NewMigration options={options} />],
];

function Navigation({ current }) {
    const active = VIEWS.find(([path, title]) => path === current && title) ? current : "";
    return (
        <pf.Nav variant="horizontal-subnav" aria-label={_("Views")}>
            <pf.NavList>
                {VIEWS.filter(([, title]) => title).map(([path, title]) => (
                    <pf.NavItem key={path} itemId={path} to={"#/" + path} isActive={path === active}>
                        {title}
                    </pf.NavItem>
                ))}
            </pf.NavList>
        </pf.Nav>
    );
}

function App({ bus }) {
    const [location, setLocation] = useState({
        path: cockpit.location.path,
        options: cockpit.location.options,
    });
    useEffect(() => {
        const changed = () => setLocation({ path: cockpit.location.path, options: cockpit.location.options });
        cockpit.addEventListener("locationchanged", changed);
        return () => cockpit.removeEventListener("locationchanged", changed);
    }, []);
    const [first = "", ...rest] = location.path;
    const [, , view] = VIEWS.find(([path]) => path === first) || VIEWS[0];

    return (
        <Bus.Provider value={bus}>
            <pf.Page className="pf-m-no-sidebar" mainComponent="main">
                <pf.PageSection type="subnav">
                    <Navigation current={first} />
                </pf.PageSection>
                <pf.PageSection key={location.path.join("/") + JSON.stringify(location.options)}>
                    {view(rest, location.options)}
                </pf.PageSection>
            </pf.Page>
        </Bus.Provider>
    );
}

document.addEventListener("DOMContentLoaded", () =>
    cockpit.transport.wait(() => {
        document.documentElement.lang = (cockpit.language || "en").replace("_", "-");
        document.documentElement.dir = cockpit.language_direction || "ltr";
        followTheme();
        createRoot(document.getElementById("app")).render(<App bus={openBus(cockpit)} />);
    }),
);
