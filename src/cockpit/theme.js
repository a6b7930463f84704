// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The shell of Cockpit stores the selected theme as "shell:style" (auto, light or dark), and sends the event
// "cockpit-style" to pages when it changes.

const preference = window.matchMedia("(prefers-color-scheme: dark)");

function apply(style = localStorage.getItem("shell:style") || "auto") {
    const dark = style === "dark" || (style === "auto" && preference.matches);
    document.documentElement.classList.toggle("pf-v6-theme-dark", dark);
}

export function followTheme() {
    window.addEventListener("storage", event => event.key === "shell:style" && apply());
    window.addEventListener("cockpit-style", event => apply(event.detail?.style));
    preference.addEventListener("change", () => apply());
    apply();
}
