// SPDX-License-Identifier: LGPL-2.1-or-later
//
// stats-clients.js URL CLIENTS HOSTS VMS SECONDS: so many WebSocket clients of the hosts API, each subscribed to one of
// VMS virtual machines of HOSTS hosts (bench-0 …, vm-0 …). Prints one line of JSON: how many messages came in that time
// once all are there, and how long the first one took after the subscription, as median and worst, in ms.

'use strict';

const WebSocket = require('ws');

const [url, clients, hosts, vms, seconds] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const first = [];
let messages = 0;
let counting = false;

function finish() {
        first.sort((a, b) => a - b);
        console.log(JSON.stringify({messages, median: first[Math.floor(first.length / 2)], worst: first[first.length - 1]}));
        process.exit(0);
}

function start(i) {
        const ws = new WebSocket(url);
        let asked = 0;

        ws.on('open', () => {
                asked = performance.now();
                ws.send(JSON.stringify({type: 'subscribe-vm-stats', payload: {hostId: `bench-${i % hosts}`, vmName: `vm-${Math.floor(i / hosts) % (vms / hosts)}`}}));
        });
        ws.on('message', (data) => {
                if (!String(data).includes('"vm-stats-updated"')) return;
                if (counting) messages++;
                if (!asked) return;
                first.push(performance.now() - asked);
                asked = 0;
                if (first.length < clients) return;
                counting = true;
                setTimeout(finish, seconds * 1000);
        });
        ws.on('error', (error) => { console.error(error.message); process.exit(1); });
}

for (let i = 0; i < clients; i++) start(i);
setTimeout(() => { console.error(`only ${first.length} clients got anything`); process.exit(1); }, 60000);
