-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- What wrk asks in the benchmark "queue": wrk … -s queue.lua URL -- KIND RUN WORKERS. With one thread, so that a counter
-- makes ids that are used once.

local kind, run, workers, n = "", "", 1, 0
local json = { ["Content-Type"] = "application/json" }

function init(args)
        kind, run, workers = args[1], args[2], tonumber(args[3] or "1")
        -- A second wrk of the same run must not begin where the first one did.
        n = tonumber(args[4] or "0")
end

local function submit()
        local id = "job-" .. run .. "-" .. n
        return wrk.format("POST", "/jobs?queue=true", json,
                '{"job_id":"' .. id .. '","operation":"convert","image":{"path":"/srv/bench/small.qcow2","format":"qcow2"},' ..
                '"parameters":{"output_format":"qcow2","output_path":"/srv/bench/' .. id .. '.qcow2"}}')
end

-- Of "finish": the jobs that the worker holds
local held = {}

function request()
        n = n + 1
        if kind == "finish" and #held > 0 then
                return wrk.format("POST", "/jobs/" .. table.remove(held) .. "/result", json,
                        '{"worker_id":"w1","status":"completed","outputs":[]}')
        end
        if kind == "finish" then return wrk.format("POST", "/queue/dequeue", json, '{"worker_id":"w1"}') end
        local worker = "w" .. n % workers
        if kind == "submit" then return submit() end
        if kind == "heartbeat" then return wrk.format("POST", "/workers/" .. worker .. "/heartbeat") end
        if kind == "register" then
                return wrk.format("POST", "/workers/register", json,
                        '{"worker_id":"w' .. n .. '","capabilities":["qemu_img","nbd_access"],"system_info":{"memory_mb":16384,"disk_space_mb":512000}}')
        end
        return wrk.format("POST", "/queue/dequeue", json, '{"worker_id":"' .. worker .. '"}')
end

local wrong = 0
function response(status, headers, body)
        -- (The answer to a result has no operation.)
        local id = kind == "finish" and status == 200 and body:find('"operation"') and body:match('"job_id":%s*"(fill[^"]*)"')
        if id then held[#held + 1] = id end
        if status >= 300 or (kind == "dequeue" and body == "null") then
                wrong = wrong + 1
                if wrong == 1 then io.stderr:write("queue.lua: " .. kind .. ": " .. status .. " " .. body .. "\n") end
        end
end
