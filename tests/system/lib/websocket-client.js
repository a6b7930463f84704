// SPDX-License-Identifier: LGPL-2.1-or-later
//
// websocket-client.js URL: sends each line of its standard input; writes what it hears, one line of JSON each: {"open": …}, {"message": …}, {"ping": true},
// {"pong": "…"}, {"close": {"code": …}}. Pings the server each second with what it has heard so far. SIGTERM closes
// with 1000; the end of the connection is the end of it.

'use strict';

const readline = require('readline');
const WebSocket = require('ws');

const say = (what) => console.log(JSON.stringify(what));
const ws = new WebSocket(process.argv[2]);
let heard = 0;
let pinger;

ws.on('open', () => {
        say({open: {extensions: ws.extensions, protocol: ws.protocol}});
        pinger = setInterval(() => ws.ping(String(heard)), 1000);
        readline.createInterface({input: process.stdin}).on('line', (line) => ws.send(line));
});
ws.on('message', (data, isBinary) => {
        heard++;
        say({message: JSON.parse(data), binary: isBinary});
});
ws.on('ping', () => say({ping: true}));
ws.on('pong', (data) => say({pong: String(data)}));
ws.on('unexpected-response', (request, response) => {
        say({refused: response.statusCode});
        process.exit(1);
});
ws.on('error', (error) => say({error: error.message}));
ws.on('close', (code, reason) => {
        clearInterval(pinger);
        process.stdin.destroy();
        say({close: {code, reason: String(reason)}});
});
process.on('SIGTERM', () => ws.close(1000, 'enough'));
