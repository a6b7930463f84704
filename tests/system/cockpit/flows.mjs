// SPDX-License-Identifier: LGPL-2.1-or-later
//
// flows.mjs USER FLOW…: what a user does with the page, in one session. Each flow prints what it has seen.

import { execFileSync } from "node:child_process";
import { FRAME, accessible, browser, check, login, open, shot } from "./cockpit.mjs";

const DIR = process.env.DIR;
const say = text => console.log(text);
const api = body =>
    execFileSync("curl", [
        "-sSf",
        "-H",
        "Content-Type: application/json",
        "--data-binary",
        JSON.stringify(body),
        "http://127.0.0.1:8080/jobs/submit",
    ]);
const convert = (id, source, destination) => ({
    id,
    source: { type: "file", path: source },
    destination: { type: "file", path: destination, format: "qcow2" },
});
const row = (frame, id, state) => frame.locator(`tr[data-id="${id}"]${state ? `[data-state=${state}]` : ""}`);

// A migration, with the keyboard only: a path with completion, and a directory.
async function migrate(session, image, directory) {
    const { page } = session;
    const frame = await open(session, "/new");
    await frame.locator("#field-source").focus();
    await page.keyboard.type(image.slice(0, -4));
    await frame.getByRole("option", { name: image }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    check((await frame.locator("#field-source").inputValue()) === image, "the path is not completed");
    await frame.locator("#field-kind").selectOption("file");
    await frame.locator("#field-directory").fill(directory);
    await frame.locator("#free").waitFor();
    return frame;
}

// What any operator does.
async function submit(session, image) {
    const frame = await migrate(session, image, DIR + "/out");
    await frame.locator("#more-toggle").click();
    await frame.locator("#field-verify").selectOption("full");
    await frame.locator("#field-fix").selectOption("none");
    await accessible(session, "new");
    await frame.locator("#field-directory").press("Enter");
    await frame.locator("#migration[data-state=COMPLETED]").waitFor();
    check(
        (await frame.getByText("All data and zeroes were compared").count()) > 0,
        "the verification is not shown",
    );
    check((await frame.locator(".hyper-log div").count()) > 0, "the log is empty");
    check((await frame.getByText("Copying").count()) > 0, "the steps have no phases");
    await accessible(session, "migration");
    say(`${session.user} has migrated ${image}`);
}

async function jobs(session) {
    let frame = await open(session);
    await frame.locator("#empty").waitFor();
    check((await frame.getByRole("button").count()) === 1, "an empty page has more than one button");
    await accessible(session, "empty");

    // Of another client, shown by a signal alone
    api(convert("curl", DIR + "/disk.raw", DIR + "/curl.qcow2"));
    await row(frame, "curl", "COMPLETED").waitFor();
    say("a job of curl is shown");

    await submit(session, DIR + "/images/disk.raw");

    // A job that fails, and is repeated
    api(convert("bad", DIR + "/damaged.qcow2", DIR + "/bad.qcow2"));
    frame = await open(session);
    await row(frame, "bad", "FAILED").waitFor();
    check(
        (await row(frame, "bad").locator("td").nth(2).textContent()).length > 10,
        "the reason is not shown",
    );
    await frame.locator("#filter").selectOption("FAILED");
    check((await frame.locator("tr[data-id]").count()) === 1, "the filter has no effect");
    await row(frame, "bad").locator(".retry").click();
    await frame.locator("#filter").selectOption("all");
    await row(frame, "bad", "FAILED").waitFor();

    // A slow one, which is cancelled
    api({
        ...convert("slow", "", DIR + "/out/slow.qcow2"),
        source: { type: "nbd", uri: process.env.SLOW_URI },
    });
    await row(frame, "slow", "RUNNING").locator("[role=progressbar]").waitFor();
    await accessible(session, "list");
    await row(frame, "slow").locator(".cancel").click();
    await frame.locator("#confirm").waitFor();
    await accessible(session, "cancel");
    await frame.locator("#confirm").click();
    await row(frame, "slow", "CANCELLED").waitFor();
    say("a job is cancelled");
}

async function schedules(session) {
    const { user } = session;
    const frame = await open(session, "/schedules");
    await frame.locator("#new-schedule").click();
    await frame.locator("#field-name").fill("nightly");
    await frame.locator("#field-schedule").fill("not a time");
    await frame.locator("#field-source").fill(DIR + "/disk.raw");
    await frame.locator("#field-directory").fill(DIR + "/out");
    await accessible(session, "schedule-new");
    await frame.locator("#dialog-submit").click();
    await frame.locator("#field-schedule[aria-invalid=true]").waitFor();
    await shot(session, "schedule-invalid");
    await frame.locator("#field-schedule").fill("0 2 * * *");
    await frame.locator("#dialog-submit").click();
    await frame.getByText("nightly", { exact: true }).waitFor();
    await frame.getByRole("button", { name: "Run nightly now" }).click();
    await frame.getByText("The schedule was run").waitFor();
    await frame.getByRole("button", { name: "Disable nightly" }).click();
    await frame.getByRole("button", { name: "Enable nightly" }).waitFor();
    await accessible(session, "schedules");
    await frame.getByRole("button", { name: "Delete nightly" }).click();
    await frame.locator("#confirm").click();
    await frame.getByText("A schedule repeats a migration").waitFor();
    say(`${user} has created, run and deleted a schedule`);
}

async function settings(session) {
    const frame = await open(session, "/settings");
    await frame.getByText("jobs.max_running").waitFor();
    await frame.locator("#reload").click();
    await frame.locator("#reloaded").waitFor();
    await frame.locator("#add-key").click();
    await frame.locator("#field-name").fill("ci");
    await accessible(session, "key-new");
    await frame.locator("#dialog-submit").click();
    const key = await frame.locator("#new-key code").textContent();
    check(key.length > 20, "the key is not shown: " + key);
    await frame.getByRole("button", { name: "Remove ci" }).waitFor();
    await frame.locator("#add-webhook").click();
    await frame.locator("#field-url").fill("https://hooks.example/x");
    await frame.locator("#dialog-submit").click();
    await frame.getByRole("button", { name: "Remove https://hooks.example/x" }).click();
    await frame.locator("#confirm").click();
    await frame.getByText("There are no webhooks.").waitFor();
    await accessible(session, "settings");
    await frame.getByRole("button", { name: "Remove ci" }).click();
    await frame.locator("#confirm").click();
    await frame.getByText("There are no keys.").waitFor();
    say("keys and webhooks are added and removed");
}

async function workers(session) {
    const frame = await open(session, "/workers");
    await frame.getByText("w1", { exact: true }).waitFor();
    await accessible(session, "workers");
    await frame.getByRole("button", { name: "Remove w1" }).click();
    await frame.locator("#confirm").click();
    await frame.getByText("No other machine takes jobs").waitFor();
    say("a worker is shown and removed");
}

async function sources(session) {
    let frame = await open(session, "/sources");
    await frame.locator("#add-server").click();
    await frame.locator("#field-name").fill("vc");
    await frame.locator("#field-vcenter_url").fill(process.env.VCSIM_URL);
    await frame.locator("#field-username").fill(process.env.VCSIM_USER);
    await frame.locator("#field-password").fill(process.env.VCSIM_PASSWORD);
    await frame.locator("#field-thumbprint").fill(process.env.VCSIM_THUMBPRINT);
    await accessible(session, "source-new");
    await frame.locator("#dialog-submit").click();
    await frame.getByRole("button", { name: "Test vc" }).click();
    await frame.getByText(/vc answers/).waitFor();
    await frame.locator("#add-host").click();
    await frame.locator("#field-uri").fill("test:///default");
    await frame.locator("#dialog-submit").click();
    await frame.getByText("Connected", { exact: true }).waitFor();
    await accessible(session, "sources");
    await frame.locator("#hosts tbody a").click();
    await frame.locator("tbody tr").first().waitFor();
    await accessible(session, "host");
    frame = await open(session, "/sources/directory?path=" + encodeURIComponent(DIR + "/images"));
    await frame.locator(".migrate").first().waitFor();
    await accessible(session, "directory");

    frame = await open(session, "/sources/vsphere/vc");
    const ticks = frame.locator("tbody input[type=checkbox]");
    await ticks.nth(1).waitFor();
    await ticks.nth(0).check();
    await ticks.nth(1).check();
    await frame.locator("#migrate-selected").waitFor();
    await accessible(session, "vms");
    await frame.locator("#migrate-selected").click();
    await frame.locator("#new-migration section").nth(1).waitFor();
    await accessible(session, "new-several");
    say("virtual machines of a vCenter are listed and selected");
}

// The manager exits when it is idle, with the page open; a change after that is shown.
async function idle(session) {
    const frame = await open(session);
    await row(frame, "curl", "COMPLETED").waitFor();
    execFileSync("bash", [
        "-c",
        `for ((i = 0; i < 600; i++)); do
        [ "$(systemctl is-active hyper-managerd.service)" = active ] || exit 0; sleep 0.1; done; exit 1`,
    ]);
    say("the manager has exited with the page open");
    api(convert("later", DIR + "/disk.raw", DIR + "/later.qcow2"));
    await row(frame, "later", "COMPLETED").waitFor();
    execFileSync("systemctl", ["restart", "hyper-managerd.service"]);
    api(convert("restarted", DIR + "/disk.raw", DIR + "/restarted.qcow2"));
    await row(frame, "restarted", "COMPLETED").waitFor();
    say("jobs are shown after the manager has exited, and after it was restarted");
}

// Many jobs: the list has pages, and can be scrolled. The longest frame is printed, not judged.
async function many(session) {
    const frame = await open(session);
    await frame.locator("tr[data-id=many-999]").waitFor();
    check((await frame.locator("tr[data-id]").count()) === 100, "more than 100 rows are shown");
    const view = session.page.frame({ name: FRAME });
    const longest = await view.evaluate(async () => {
        const scrolled =
            [...document.querySelectorAll("*")].filter(
                e => e.scrollHeight > e.clientHeight + 1000 && getComputedStyle(e).overflowY !== "visible",
            )[0] || document.scrollingElement;
        let last = performance.now();
        let worst = 0;
        for (let i = 0; i < 60; i++) {
            scrolled.scrollTop += 200;
            await new Promise(requestAnimationFrame);
            const now = performance.now();
            worst = Math.max(worst, now - last);
            last = now;
        }
        return [worst, scrolled.scrollTop];
    });
    check(longest[1] > 1000, "the list was not scrolled");
    say(`1000 jobs: the longest of 60 frames took ${Math.round(longest[0])} ms`);
    await shot(session, "many");
    await frame.locator("#more").click();
    await frame.locator("tr[data-id=many-801]").waitFor();
}

// In German, dark, and from right to left.
const GERMAN = { language: "de-de", theme: "dark" };

async function looks(session) {
    const frame = await open(session);
    await frame.getByRole("heading", { name: "Migrationen", exact: true }).waitFor();
    check((await frame.locator("html.pf-v6-theme-dark").count()) === 1, "the dark theme is not used");
    await accessible(session, "dark-german");
    await open(session, "/new");
    await accessible(session, "dark-german-new");
    const wide = await session.page.frame({ name: FRAME }).evaluate(() => {
        document.documentElement.dir = "rtl";
        return document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth;
    });
    check(!wide, "from right to left, the page is wider than the window");
    await shot(session, "rtl");
    say("the page is shown in German, dark, and from right to left");
}

async function refused(session) {
    const frame = await open(session);
    await row(frame, "curl", "COMPLETED").waitFor();
    await open(session, "/new");
    await session.frame.locator("#field-source").fill(DIR + "/images/disk.raw");
    await session.frame.locator("#field-kind").selectOption("file");
    await session.frame.locator("#field-directory").fill(DIR + "/out");
    await session.frame.locator("#migrate").click();
    await session.frame
        .getByText(/requires administrative access/)
        .first()
        .waitFor();
    await accessible(session, "refused");
    say(`${session.user} sees migrations, and submits none`);
}

async function operator(session) {
    await submit(session, DIR + "/images/other.raw");
    await schedules(session);
    const frame = await open(session, "/settings");
    await frame.locator("#add-key").click();
    await frame.locator("#field-name").fill("mine");
    await frame.locator("#dialog-submit").click();
    await frame.getByText(/requires administrative access/).waitFor();
    say("olga adds no keys");
}

async function nobody(session) {
    const frame = await open(session);
    await frame.getByText(/has no role/).waitFor();
    check((await frame.locator("tr[data-id]").count()) === 0, "nora sees jobs");
    await accessible(session, "no-role");
    say("nora has no role, and is told so");
}

const FLOWS = {
    jobs,
    schedules,
    settings,
    workers,
    sources,
    idle,
    many,
    looks,
    operator,
    viewer: refused,
    nobody,
};

const b = await browser();
try {
    const [user, ...names] = process.argv.slice(2);
    for (const options of names.includes("looks") ? [GERMAN] : [{}]) {
        const session = await login(b, user, { administrative: user === "alice", ...options });
        for (const name of names) await FLOWS[name](session);
        const problems = (session?.problems || []).filter(p =>
            /Content.Security.Policy|Uncaught|Warning:/i.test(p),
        );
        check(problems.length === 0, "the console of the browser has: " + problems.join("\n"));
        await session?.context.close();
    }
} catch (e) {
    for (const [i, page] of b
        .contexts()
        .flatMap(c => c.pages())
        .entries())
        await page.screenshot({ path: `${process.env.ARTIFACTS}/failed-${i}.png` });
    console.log("FAILED: " + (e.stack || e));
    process.exitCode = 1;
} finally {
    await b.close();
}
