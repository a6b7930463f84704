// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the tests of the page share: a browser, logins through cockpit-ws, and checks with axe-core. Run by
// cockpit.sh, which has created the users.

import fs from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const SERVER = "http://127.0.0.1:9090";
export const FRAME = "cockpit1:localhost/hyper";
const TIMEOUT = 60000;

export const artifacts = process.env.ARTIFACTS;

export async function browser() {
    return chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
}

export function check(condition, message) {
    if (!condition) throw new Error(message);
}

// Log in as a user, with administrative access or without, and open the page. { page, frame } is the
// window, and the frame of the shell that contains the page.
export async function login(b, user, { administrative = false, language = "en-us", theme = "light" } = {}) {
    const context = await b.newContext({ viewport: { width: 1280, height: 900 }, locale: language });
    const page = await context.newPage();
    const problems = [];
    page.on("console", m => ["error", "warning"].includes(m.type()) && problems.push(m.text()));
    page.on("pageerror", e => problems.push(String(e)));
    page.setDefaultTimeout(TIMEOUT);
    await context.addCookies([{ name: "CockpitLang", value: language, url: SERVER }]);
    await page.goto(SERVER + "/");
    await page.evaluate(
        ([name, access, style]) => {
            localStorage.setItem("superuser:" + name, access);
            localStorage.setItem("shell:style", style);
        },
        [user, administrative ? "any" : "none", theme],
    );
    await page.fill("#login-user-input", user);
    await page.fill("#login-password-input", "password of " + user);
    await page.click("#login-button");
    await page.waitForSelector("#host-apps", { state: "attached" });
    return { context, page, problems, user };
}

// Open a view of the page, and return its frame.
export async function open(session, path = "/") {
    await session.page.goto(SERVER + "/hyper#" + path);
    const frame = session.page.frameLocator(`iframe[name='${FRAME}']`);
    await frame.locator("h1").waitFor();
    session.frame = frame;
    return frame;
}

export const shot = (session, name) =>
    session.page.screenshot({ path: `${artifacts}/${session.user}-${name}.png` });

// axe-core must report nothing about the page.
export async function accessible(session, name) {
    const frame = session.page.frame({ name: FRAME });
    await frame.evaluate(axe);
    const { violations } = await frame.evaluate(() =>
        window.axe.run(document, { resultTypes: ["violations"] }),
    );
    const text = violations
        .map(v => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 200)).join("; ")}`)
        .join("\n");
    check(violations.length === 0, `${name}: axe-core reports\n${text}`);
    await shot(session, name);
}
