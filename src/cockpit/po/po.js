// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Files of gettext, as far as the page uses them: one line for each msgid and msgstr, and no plurals.

const RTL = ["ar", "fa", "he", "ur"];

export function parse(text) {
    const messages = {};
    let id = null;
    for (const [i, line] of text.split("\n").entries()) {
        const [, key, value] = /^(msgid|msgstr) (".*")$/.exec(line) || [];
        if (key === "msgid") id = JSON.parse(value);
        else if (key === "msgstr" && id !== null) messages[id] = JSON.parse(value);
        else if (line !== "" && !line.startsWith("#"))
            throw new Error(`line ${i + 1} is neither a comment nor a msgid or msgstr on one line: ${line}`);
    }
    return messages;
}

// The script that Cockpit includes as po.js for a language.
export function translations(text) {
    const { "": header, ...messages } = parse(text);
    const [, language] = /^Language: (\S+)$/m.exec(header) || [];
    const data = { "": { language, "language-direction": RTL.includes(language) ? "rtl" : "ltr" } };
    for (const [id, translation] of Object.entries(messages)) if (translation) data[id] = [null, translation];
    const json = JSON.stringify(data).replace('"language":', '"plural-forms":n=>+(n!==1),"language":');
    return `cockpit.locale(${json});\n`;
}
