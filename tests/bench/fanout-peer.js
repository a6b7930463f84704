// SPDX-License-Identifier: LGPL-2.1-or-later
//
// fanout-peer.js: what the fan-out is compared with: Node.js and its "ws", nothing but a broadcast. WebSockets on port
// 8097, event streams on 8098; each gets as many messages, of about the same size, as hyper's clients: eight a second
// to each WebSocket, two to each stream. There is no journal, no database and no job behind it.

'use strict';

const http = require('http');
const {WebSocketServer} = require('ws');

const now = () => {
        const microseconds = Math.round((performance.timeOrigin + performance.now()) * 1000);
        const part = String(microseconds % 1000000).padStart(6, '0');
        return new Date(microseconds / 1000).toISOString().replace(/\.\d+Z$/, `.${part}Z`);
};
const padding = 'x'.repeat(Number(process.argv[2] || 1000));
const streams = new Set();

const websockets = new WebSocketServer({host: '127.0.0.1', port: 8097, path: '/ws', backlog: 2048});
http.createServer((request, response) => {
        response.writeHead(200, {'Content-Type': 'text/event-stream'});
        response.write(': hello\n\n');
        streams.add(response);
        request.on('close', () => streams.delete(response));
}).listen({host: '127.0.0.1', port: 8098, backlog: 2048});

let turn = 0;
setInterval(() => {
        const text = JSON.stringify({type: 'job_update', timestamp: now(), data: {updated_at: now(), padding}});
        for (const client of websockets.clients)
                client.send(text);
        turn = (turn + 1) % 4;
        const event = `event: progress\ndata: ${JSON.stringify({timestamp: now(), padding: padding.slice(0, 300)})}\n\n`;
        let i = 0;
        for (const stream of streams)
                if (i++ % 4 === turn)
                        stream.write(event);
}, 125);
