// SPDX-License-Identifier: LGPL-2.1-or-later
//
// flows.mjs USER FLOW…: what a user does with the page, in one session. Each flow prints what it has seen.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { FRAME, accessible, artifacts, browser, check, login, open, shot } from "./cockpit.mjs";

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
const virsh = (...args) => execFileSync("virsh", args).toString().trim();

const hostd = (method, ...args) =>
    execFileSync("busctl", [
        "call",
        "org.hyper1.Hosts",
        "/org/hyper1/hosts",
        "org.hyper1.Hosts.Manager",
        method,
        ...args,
    ]).toString();

// Until a condition that no event tells of holds.
async function until(what, condition) {
    for (let i = 0; i < 300; i++) {
        if (condition()) return;
        await new Promise(resolve => setTimeout(resolve, 100));
    }
    throw new Error("not so after 30 s: " + what);
}

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
    const submitted = Date.now();
    api(convert("curl", DIR + "/disk.raw", DIR + "/curl.qcow2"));
    await row(frame, "curl").waitFor();
    const delay = Date.now() - submitted;
    check(delay < 1000, `a job of curl was shown after ${delay} ms`);
    await row(frame, "curl", "COMPLETED").waitFor();
    say(`a job of curl is shown after ${delay} ms`);

    await submit(session, DIR + "/images/disk.raw");

    // What is wrong is shown before anything runs
    frame = await open(session, "/new");
    await frame.locator("#field-source").fill(DIR + "/damaged.qcow2");
    await frame.locator("[data-code=image_refused]").waitFor();
    await accessible(session, "concern");

    // A job that fails, and is repeated
    api(convert("bad", DIR + "/damaged.qcow2", DIR + "/bad.qcow2"));
    frame = await open(session);
    await row(frame, "bad", "FAILED").waitFor();
    // Behind sudo, systemd-logind knows who it is
    check((await frame.locator("tr[data-id] td", { hasText: /^alice$/ }).count()) === 1, "it was root");
    check((await frame.getByText("-0").count()) === 0, "an unknown time is shown");
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

// A virtual machine whose guest is seen to boot, and that is started; and one of an image.
async function kvm(session) {
    let frame = await open(session, "/new");
    await frame.locator("#field-source").fill(DIR + "/images/boots.raw");
    await frame.locator("#found-0").getByText("raw", { exact: true }).first().waitFor();
    await frame.locator("#field-directory").fill(DIR + "/vm");
    await frame.locator("#free").waitFor();
    await frame.locator("#more-toggle").click();
    await frame.locator("#field-fix").selectOption("none");
    await frame.locator("#field-bootCheck").check();
    await accessible(session, "new-vm");
    await frame.locator("#migrate").click();
    await frame.locator("#migration[data-state=COMPLETED]").waitFor();
    const picture = frame.locator("img.hyper-screen");
    await picture.waitFor();
    check(await picture.evaluate(i => i.complete && i.naturalWidth > 300), "the picture is not shown");
    await frame.getByText("box login:").first().waitFor();
    await picture.scrollIntoViewIfNeeded();
    await accessible(session, "boot");
    check(virsh("domstate", "boots") === "shut off", "it was started");
    await frame.locator("#start").click();
    await frame.getByText("Add its host under Sources").waitFor();
    hostd("AddHost", "sa{sv}", "qemu:///system", "1", "id", "s", "here");
    await until("the host is connected", () => hostd("ListVms", "stt", "here", "0", "9").includes("boots"));
    await frame.locator("#start").click();
    await until("it runs", () => virsh("domstate", "boots") === "running");
    virsh("destroy", "boots");
    // A virtual machine of a libvirt host is a source, too
    frame = await open(session, "/sources/libvirt/here");
    await frame.getByRole("link", { name: "boots" }).click();
    await frame.locator("#inspection .migrate").first().click();
    await frame.locator("#found-0").getByText("qcow2", { exact: true }).first().waitFor();
    const path = await frame.locator("#field-source").inputValue();
    check(path.startsWith(DIR + "/vm/boots"), "the disk is not the source: " + path);
    hostd("RemoveHost", "s", "here");

    api(convert("image", DIR + "/images/boots.raw", DIR + "/out/image.qcow2"));
    frame = await open(session, "/migration/image");
    await frame.locator("#define").click();
    await frame.locator("#field-memory").fill("64");
    await frame.locator("#field-network").fill("none");
    await accessible(session, "define");
    await frame.locator("#dialog-submit").click();
    await frame.locator("#defined").waitFor();
    check(virsh("domstate", "image") === "running", "the domain is not defined and started");
    await accessible(session, "defined");
    virsh("destroy", "image");
    say("a virtual machine boots, is started, and another one is defined of an image");
}

// A warm migration: the page says that it waits, and begins the cutover.
async function warm(session) {
    api({
        id: "warm",
        source: { type: "vsphere", name: "vc", vm_path: "DC0/vm/web" },
        destination: { type: "file", path: DIR + "/out/warm.raw", format: "raw" },
        parameters: { warm: true },
    });
    const frame = await open(session, "/migration/warm");
    await frame.getByText("Next pass").first().waitFor();
    const now = frame.getByRole("button", { name: "Cut over now" });
    await now.waitFor();
    await accessible(session, "warm");
    await now.click();
    await frame.locator("#migration[data-state=COMPLETED]").waitFor();
    await frame.getByText("Downtime").first().waitFor();
    await accessible(session, "warm-completed");
    say("a warm migration is cut over");
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

const concern = (frame, vm, code) => frame.locator(`tr[data-id="${vm}"] [data-code=${code}]`);

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
    await frame.locator("tbody [data-code=in_use]").waitFor();
    await accessible(session, "host");
    await frame.locator("tbody a").first().click();
    await frame.locator("#inspection [data-code=no_disks]").waitFor();
    await accessible(session, "host-vm");
    frame = await open(session, "/sources/directory?path=" + encodeURIComponent(DIR + "/images"));
    await frame.locator(".migrate").first().waitFor();
    await accessible(session, "directory");

    frame = await open(session, "/sources/vsphere/vc");
    const ticks = frame.locator("tbody input[type=checkbox]");
    await ticks.nth(2).waitFor();
    await concern(frame, "DC0/vm/mail", "tools_not_running").waitFor();
    check((await concern(frame, "DC0/vm/web", "running").count()) === 0, "a list shows information");
    await frame.getByLabel("Select mail").check();
    await frame.getByLabel("Select db").check();
    await frame.locator("#migrate-selected").waitFor();
    await accessible(session, "vms");
    await frame.locator("#migrate-selected").click();
    for (const code of ["independent_disk", "tpm", "running", "rdm_physical"])
        await frame.locator(`[data-code=${code}]`).first().waitFor();
    await accessible(session, "new-several");
    // Two that can be migrated, on two storages
    frame = await open(session, "/sources/vsphere/vc");
    await frame.getByLabel("Select app").check();
    await frame.getByLabel("Select shop").check();
    await frame.locator("#migrate-selected").click();
    await frame.locator("#found-1").waitFor();
    await frame.getByText(/^Network .* becomes$/).first().waitFor();
    await frame.locator("#field-kind").selectOption("file");
    await frame.locator("#field-directory").fill(DIR + "/out");
    await frame.locator("#field-storage-fast").fill(DIR + "/out/fast");
    await frame.locator("#free").waitFor();
    await frame.locator("#free-fast").waitFor();
    await accessible(session, "new-storages");
    await frame.locator("#migrate").click();
    await frame.locator("#filter").waitFor();
    for (const image of ["out/app", "out/fast/shop"])
        await until(`${image} is there`, () => fs.existsSync(`${DIR}/${image}.qcow2`));
    check((await frame.locator("tr[data-state=FAILED]", { hasText: "shop" }).count()) === 0, "shop failed");
    say("virtual machines of a vCenter are listed, selected, and migrated from two storages");
}

// How often the manager was started.
const starts = () =>
    execFileSync("systemctl", ["show", "-P", "ActiveEnterTimestamp", "hyper-managerd.service"]).toString();

// The manager exits when it is idle, with the page open; a change after that is shown.
async function idle(session) {
    const frame = await open(session);
    await row(frame, "curl", "COMPLETED").waitFor();
    execFileSync("bash", [
        "-c",
        `for ((i = 0; i < 600; i++)); do
        [ "$(systemctl is-active hyper-managerd.service)" = active ] || exit 0; sleep 0.1; done; exit 1`,
    ]);
    // The page does nothing for twice the time after which the manager exits.
    const before = starts();
    await new Promise(resolve => setTimeout(resolve, 45000));
    check(starts() === before, "the page has started the manager");
    say("the manager has exited with the page open, which does not start it");
    api(convert("later", DIR + "/disk.raw", DIR + "/later.qcow2"));
    await row(frame, "later", "COMPLETED").waitFor();
    execFileSync("systemctl", ["restart", "hyper-managerd.service"]);
    api(convert("restarted", DIR + "/disk.raw", DIR + "/restarted.qcow2"));
    await row(frame, "restarted", "COMPLETED").waitFor();
    say("jobs are shown after the manager has exited, and after it was restarted");
}

// How many frames there were, and the longest task of the browser (ms of CPU time), by its own trace, while
// run() goes on.
async function longestFrame(session, run) {
    const client = await session.context.newCDPSession(session.page);
    const events = [];
    client.on("Tracing.dataCollected", ({ value }) => events.push(...value));
    const complete = new Promise(resolve => client.once("Tracing.tracingComplete", resolve));
    await client.send("Tracing.start", {
        transferMode: "ReportEvents",
        traceConfig: { includedCategories: ["toplevel", "devtools.timeline"] },
    });
    await run();
    await client.send("Tracing.end");
    await complete;
    await client.detach();
    fs.writeFileSync(`${artifacts}/trace.json`, JSON.stringify(events));
    // CPU time: on a busy machine, a task waits for others. A task and what is in it are one entry.
    const tasks = events.filter(e => /RunTask$/.test(e.name) && e.tdur).map(e => e.tdur / 1000);
    const frames = events.filter(e => e.name === "FireAnimationFrame").length;
    return { frames, task: Math.max(0, ...tasks) };
}

// Many jobs: the whole list can be scrolled, and no frame takes more than 100 ms.
async function many(session) {
    const frame = await open(session);
    await frame.locator("tr[data-id=many-999]").waitFor();
    const view = session.page.frame({ name: FRAME });
    await view.evaluate(() => new Promise(resolve => setTimeout(resolve, 500)));
    // What scrolls is found before, since looking for it takes a while
    await view.evaluate(() => {
        window.scrolled =
            [...document.querySelectorAll("*")].filter(
                e =>
                    e.scrollHeight > e.clientHeight + 1000 && getComputedStyle(e).overflowY !== "visible",
            )[0] || document.scrollingElement;
    });
    let bottom = 0;
    const { frames, task } = await longestFrame(session, async () => {
        bottom = await view.evaluate(async () => {
            for (let i = 0; i < 200; i++) {
                window.scrolled.scrollTop += 400;
                await new Promise(requestAnimationFrame);
            }
            return window.scrolled.scrollTop;
        });
    });
    say(`1000 jobs: ${frames} frames, the longest task took ${Math.round(task)} ms of CPU`);
    check(bottom > 20000, "the list was not scrolled");
    check(frames >= 100, "too few frames are in the trace");
    check(task > 0 && task < 100, `a frame took ${task} ms of CPU`);
    await shot(session, "many");
    await frame.locator("tr[data-id=many-0]").waitFor();
    const rows = await frame.locator("tr[data-id]").count();
    check(rows < 200, `${rows} rows are there at once`);
}

// In a narrow window, nothing is wider than it.
async function narrow(session) {
    await session.page.setViewportSize({ width: 400, height: 800 });
    for (const [path, name] of [
        ["/", "narrow"],
        ["/new", "narrow-new"],
        ["/migration/curl", "narrow-migration"],
        ["/sources", "narrow-sources"],
    ]) {
        await open(session, path);
        const wide = await session.page
            .frame({ name: FRAME })
            .evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
        check(wide <= 0, `${path} is ${wide} pixels wider than the window`);
        await accessible(session, name);
    }
    say("the page fits into a narrow window");
}

// In German, dark, and from right to left.
const GERMAN = { language: "de-de", theme: "dark" };

async function looks(session) {
    const frame = await open(session);
    await frame.getByRole("heading", { name: "Migrationen", exact: true }).waitFor();
    check((await frame.locator("html.pf-v6-theme-dark").count()) === 1, "the dark theme is not used");
    await accessible(session, "dark-german");
    // Concerns, too, though the bus tells them in English
    const several = "/new?source=vc&vm=" + encodeURIComponent("DC0/vm/mail");
    await open(session, several);
    await frame.getByText(/^Sie hat ein virtuelles TPM/).first().waitFor();
    await frame.getByText(/^Lassen Sie sie für die Migration herunterfahren/).first().waitFor();
    await accessible(session, "dark-german-new");
    for (const [path, name] of [
        ["/", "list"],
        ["/new", "new"],
        [several, "new-vm"],
        ["/migration/curl", "migration"],
        ["/sources", "sources"],
        ["/sources/vsphere/vc", "vms"],
        ["/sources/libvirt/local", "host"],
        ["/sources/directory?path=" + encodeURIComponent(DIR + "/images"), "directory"],
        ["/schedules", "schedules"],
        ["/workers", "workers"],
        ["/settings", "settings"],
    ]) {
        await open(session, path);
        const wide = await session.page.frame({ name: FRAME }).evaluate(() => {
            document.documentElement.dir = "rtl";
            return document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth;
        });
        check(!wide, `from right to left, ${path} is wider than the window`);
        await accessible(session, "rtl-" + name);
    }
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
    kvm,
    warm,
    narrow,
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
