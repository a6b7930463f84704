// SPDX-License-Identifier: LGPL-2.1-or-later
//
// node build.js OUTPUT [NODE_MODULES]: build the page. The modules may be in another directory than this
// file.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { translations } from "./po/po.js";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
const modules = path.resolve(process.argv[3] || path.join(here, "node_modules"));
const esbuild = createRequire(path.join(modules, "x.js"))("esbuild");

const { metafile } = await esbuild.build({
    absWorkingDir: here,
    entryPoints: ["index.jsx"],
    outdir: path.resolve(out),
    nodePaths: [modules],
    bundle: true,
    minify: true,
    legalComments: "none",
    external: ["*.woff", "*.woff2", "*.jpg", "*.svg", "../../static*"],
    jsx: "automatic",
    target: ["es2021"],
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
    metafile: true,
});

// The licenses of the packages that are in the page.
function licenses(inputs) {
    const packages = inputs.map(input => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]);
    return [...new Set(packages.filter(Boolean))].sort().map(name => {
        const directory = path.join(modules, name);
        const { version, license } = JSON.parse(
            fs.readFileSync(path.join(directory, "package.json"), "utf8"),
        );
        const file = fs.readdirSync(directory).find(f => /^licen[cs]e/i.test(f));
        const text = file ? fs.readFileSync(path.join(directory, file), "utf8").trim() : "";
        return [`${name} ${version}: ${license}`, text].filter(Boolean).join("\n\n");
    });
}
fs.writeFileSync(
    path.join(out, "LICENSES.txt"),
    licenses(Object.keys(metafile.inputs)).join("\n\n" + "-".repeat(72) + "\n\n") + "\n",
);
for (const file of ["manifest.json", "index.html"])
    fs.copyFileSync(path.join(here, file), path.join(out, file));
for (const file of fs.readdirSync(path.join(here, "po")).filter(f => f.endsWith(".po"))) {
    const script = translations(fs.readFileSync(path.join(here, "po", file), "utf8"));
    // The first is for the page, the second for the menu of Cockpit
    for (const name of ["po", "po.manifest"])
        fs.writeFileSync(path.join(out, `${name}.${path.basename(file, ".po")}.js`), script);
}
