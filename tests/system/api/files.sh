#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# runs-on: host
#
# Files over the v1 API: lists, downloads and ranges; an upload of 100 chunks in random order, four at a time,
# with a power cut in between, has the same SHA-256; what the roots do not contain cannot be reached.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

lib 'systemctl -q enable hyper-tls.socket; systemctl restart hyper.socket
mkdir -p /srv/up/chunks; cd /srv/up
hyperctl key add files --scope=submit,read -q >key
hyperctl key add looks --scope=read -q >key-read
hyperctl key add other --scope=submit -q >key-other
head -c $((99 * 1048576 + 12345)) /dev/urandom >disk.raw
split -b 1M -a 3 -d disk.raw chunks/c
(cd chunks; ls) | sed s/^c// | shuf >order
sync'
# the functions that each part uses
functions='cd /srv/up; url=https://localhost:5080/api/v1
api() { curl -sS -m 60 --cacert /etc/credstore/hyper.tls-certificate -H "Authorization: Bearer $(cat ${as:-key})" "$@"; }
code() { api -o body -D head -w "%{http_code}" "$@"; }
put() { api -f -o /dev/null --data-binary "@chunks/c$1" -H "X-Chunk-SHA256: $(sha256sum <"chunks/c$1" | cut -d" " -f1)" \
        "$url/upload/chunk?upload_id=$(cat id)&chunk_index=$((10#$1))"; }
export -f api code put; export url
'

# --- an upload, and a power cut ------------------------------------------------------------------------

lib "$functions"'
equal "$(code $url/upload/init -d "{\"filename\":\"../a b.raw\",\"size\":$(stat -c %s disk.raw),\"chunk_size\":1048576,\"sha256\":\"$(sha256sum <disk.raw | cut -d" " -f1)\"}")" 201 "init"
equal "$(jq -r "[.filename, .total_chunks, .status] | join(\" \")" body)" "a_b.raw 100 open" "the upload"
jq -r .upload_id body >id
head -60 order | xargs -P 4 -n 1 bash -c "put \$0" || fail "a chunk was refused"
equal "$(code $url/upload/complete -d "{\"upload_id\":\"$(cat id)\"}")" 409 "complete without all chunks"
equal "$(jq ".missing_chunks | length" body)" 40 "the missing chunks"'
id=$(inside cat /srv/up/id)
machine crash
machine up
equal "$(inside sh -c 'journalctl -b -o cat _PID=1 | grep -c "ordering cycle" || :')" 0 "cycles in the order of units"
lib "echo $id >/srv/up/id; $functions"'
equal "$(code $url/upload/status/$(cat id))" 200 "the status after a power cut"
equal "$(jq -c .received_chunks body)" "$(head -60 order | sed "s/^0*\(.\)/\1/" | sort -n | jq -cs .)" "the chunks that were acknowledged"
# the manager is killed while chunks are written
tail -40 order | xargs -P 4 -n 1 bash -c "put \$0" 2>errors &
eventually 30 "some chunks" sh -c "test \$(sqlite3 -readonly /var/lib/hyper/hyper.db \"SELECT count(*) FROM upload_chunks\") -gt 65"
systemctl kill -s KILL hyper-managerd
wait || true
api "$url/upload/status/$(cat id)" >status
jq -r ".total_chunks as \$n | [range(\$n)] - .received_chunks | .[]" status | while read -r i; do put "$(printf %03d "$i")"; done
equal "$(code $url/upload/complete -d "{\"upload_id\":\"$(cat id)\"}")" 200 "complete"
equal "$(jq -r .path body)" /var/lib/hyper/uploads/a_b.raw "the path"
cmp disk.raw /var/lib/hyper/uploads/a_b.raw || fail "the uploaded file differs"
missing /var/lib/hyper/uploads/.parts/$(cat id)'

# --- the other form, errors ------------------------------------------------------------------------------

lib "$functions"'
head -c 1500000 disk.raw >small.raw
api $url/upload/init -d "{\"filename\":\"a_b.raw\",\"size\":1500000,\"chunk_size\":1048576}" | jq -r .upload_id >id
form() { code $url/upload/chunk -F upload_id=$(cat id) -F chunk_index=$1 -F "chunk=@$2" "${@:3}"; }
equal "$(form 0 chunks/c000)" 200 "a chunk as multipart/form-data"
equal "$(jq -c "[.chunk_index, .received, .received_bytes, .total_chunks, .complete]" body)" "[0,1048576,1048576,2,false]" "the answer"
equal "$(form 1 chunks/c001)" 400 "a chunk that is too long"
contains "$(cat body)" "must have 451424 bytes" "the error"
tail -c +1048577 small.raw >rest
equal "$(form 1 rest -F sha256=$(sha256sum <disk.raw | cut -d" " -f1))" 400 "a wrong checksum"
contains "$(cat body)" "sha256" "the error"
equal "$(form 7 rest)" 400 "a chunk that does not exist"
equal "$(code $url/upload/chunk -F "chunk=@rest" -F upload_id=$(cat id) -F chunk_index=1)" 400 "the chunk before its number"
equal "$(api "$url/upload/status/$(cat id)" | jq -c .received_chunks)" "[0]" "the chunks that are there"
digest=$(openssl dgst -sha256 -binary rest | base64)
equal "$(code -H "Content-Digest: sha-256=:$digest:" --data-binary @rest "$url/upload/chunk?upload_id=$(cat id)&chunk_index=1")" 200 "a chunk with Content-Digest"
equal "$(as=key-other code $url/upload/status/$(cat id))" 404 "the upload of somebody else"
equal "$(as=key-read code $url/upload/init -d {})" 403 "a viewer"
equal "$(code $url/upload/complete -d "{\"upload_id\":\"$(cat id)\"}")" 200 "complete"
equal "$(jq -r .path body)" /var/lib/hyper/uploads/a_b-1.raw "the second file of this name"
cmp small.raw /var/lib/hyper/uploads/a_b-1.raw || fail "the second file differs"
equal "$(code $url/upload/init -d "{\"filename\":\"big.raw\",\"size\":17000000000000}")" 507 "more than the disk has"
api $url/upload/init -d "{\"filename\":\"c.raw\",\"size\":5}" | jq -r .upload_id >id
equal "$(code -X DELETE $url/upload/$(cat id))" 200 "delete"
equal "$(code $url/upload/status/$(cat id))" 404 "a deleted upload"'

# --- lists and downloads ---------------------------------------------------------------------------------

lib "$functions"'
uploads=/var/lib/hyper/uploads
equal "$(code "$url/browse/files")" 200 "the roots"
contains "$(jq -c "[.entries[].path]" body)" "\"$uploads\"" "the roots"
touch $uploads/notes.txt; mkdir -p $uploads/sub
equal "$(code "$url/browse?path=$uploads&filter=vm&limit=2")" 200 "a list"
equal "$(jq -c "[[.data[].name], .parent, .pagination.total, .pagination.has_more]" body)" "[[\"sub\",\"a_b-1.raw\"],\"\",3,true]" "the list"
equal "$(code "$url/browse?path=$uploads&limit=201")" 400 "a limit that is too large"
get() { api -o got -w "%{http_code}" -D head "$@" "$url/download?path=$uploads/a_b.raw"; }
equal "$(get)" 200 "a download"
cmp got disk.raw || fail "the download differs"
for range in 0-0 1048575-1048576 5000000- -777 103000000-999999999; do
        equal "$(get -r "$range")" 206 "the range $range"
        curl -sS -r "$range" file:///srv/up/disk.raw >expected
        cmp got expected || fail "the range $range differs"
done
equal "$(get -r 200000000-)" 416 "a range behind the end"
contains "$(cat head)" "ontent-Range: bytes */$(stat -c %s disk.raw)" "the header"
get -I >/dev/null
etag=$(sed -n "s/^E[Tt]ag: \(.*\)\r/\1/p" head)
contains "$(cat head)" "ontent-Disposition: attachment; filename=\"a_b.raw\"" "the header"
equal "$(get -H "If-None-Match: $etag")" 304 "a file that the client has"
equal "$(get -H "If-Match: \"x\"")" 412 "another file"
equal "$(get -r 5-6 -H "If-Range: \"x\"")" 200 "a range of another file"
equal "$(get -r 5-6 -H "If-Range: $etag")" 206 "a range of this file"
ln -s /etc/shadow $uploads/link.raw; mkfifo $uploads/fifo.raw
mknod $uploads/device.raw c 1 5; mknod $uploads/block.raw b 7 0; mkdir -p $uploads/dir.raw
ln -s $uploads/a_b.raw $uploads/inner.raw; ln -s /etc $uploads/linked
python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"$uploads/socket.raw\")"
for path in /etc/shadow $uploads/link.raw $uploads/fifo.raw $uploads/device.raw $uploads/block.raw $uploads/dir.raw $uploads/inner.raw $uploads/linked/passwd $uploads/socket.raw $uploads/../hyper.db $uploads/%252e%252e/hyper.db $uploads/%2e%2e/hyper.db /var/lib/hyper/hyper.db $uploads/.parts/x $uploads/a_b.raw%00x $uploads none; do
        status=$(code "$url/download?path=$path")
        case $status in 400|403|404) ;; *) fail "$path: $status" ;; esac
        # to be deployed, likewise
        status=$(code $url/vms/deploy -d "{\"name\":\"x\",\"format\":\"raw\",\"disk_path\":\"${path//%2e/.}\"}")
        case $status in 400|403|404) ;; *) fail "deploy of $path: $status" ;; esac
done
# as the source of a job: refused, or it fails
for path in /etc/shadow $uploads/link.raw $uploads/fifo.raw $uploads/device.raw $uploads/block.raw $uploads/linked/passwd $uploads/../hyper.db /var/lib/hyper/hyper.db; do
        status=$(code $url/jobs -d "{\"type\":\"convert\",\"source_path\":\"$path\",\"retry_count\":0}")
        case $status in 400|403|404) continue ;; 201) ;; *) fail "a job of $path: $status $(cat body)" ;; esac
        id=$(jq -r .id body)
        wait_state $id FAILED
done
for path in /etc $uploads/linked $uploads/.parts $uploads/../ $uploads/%2e%2e $uploads/a_b.raw; do
        status=$(code "$url/browse/files?path=$path")
        case $status in 400|403|404) ;; *) fail "a list of $path: $status" ;; esac
done
rm -r $uploads/{device,block,dir,inner,socket}.raw $uploads/linked
equal "$(as=key-read code "$url/download?path=$uploads/a_b.raw")" 403 "a viewer"
equal "$(code "${url%/api/v1}/download?path=$uploads/notes.txt")" 200 "without the prefix"
id=$(api $url/jobs/submit -d "$(spec $uploads/a_b-1.raw $uploads/out.qcow2)" | jq -r ".job_id // .id // .job_ids[0]")
wait_state "$id" COMPLETED 60
equal "$(code "$url/download?job_id=$id")" 200 "the output of a job"
cmp body $uploads/out.qcow2 || fail "the output differs"'

# --- hyperctl --------------------------------------------------------------------------------------------

lib "$functions"'
uploads=/var/lib/hyper/uploads
export HOME=/root
cp disk.raw by-bus.raw
equal "$(hyperctl upload by-bus.raw)" $uploads/by-bus.raw "the path"
cmp disk.raw $uploads/by-bus.raw || fail "the file differs"
equal "$(hyperctl upload by-bus.raw --name=other.raw -j | jq -r .path)" $uploads/other.raw "another name"
missing /root/.local/state/hyper/uploads/*
# over HTTPS; killed in the midst, it goes on with what is missing
server="--server=localhost --key-file=key"
thumbprint=$(openssl x509 -noout -fingerprint -sha256 -in /etc/credstore/hyper.tls-certificate | cut -d= -f2)
rm $uploads/*.raw
head -c 200M /dev/urandom >large.raw
sent() { sqlite3 -readonly /var/lib/hyper/hyper.db "SELECT count(*) FROM upload_chunks
        WHERE upload_id IN (SELECT id FROM uploads WHERE size = 209715200)"; }
some_are_sent() { [ "$(sent)" -gt 0 ]; }
hyperctl upload large.raw $server --ca=/etc/credstore/hyper.tls-certificate 2>errors &
eventually 30 "a chunk" some_are_sent
kill -KILL $!; wait $! || true
before=$(sent)
path=$(hyperctl upload large.raw $server --thumbprint=$thumbprint 2>errors) || fail "$(cat errors)"
cmp large.raw "$path" || fail "the file differs"
resumed=$(sed -n "s/.*resumed: \([0-9]*\) of 20 chunks are there.*/\1/p" errors)
[ "$resumed" -ge "$before" ] || fail "of $before chunks, $resumed were known: $(cat errors)"
missing /root/.local/state/hyper/uploads/*
# what is refused
refused() { local status=0; hyperctl upload disk.raw "${@:3}" 2>errors </dev/null || status=$?
        equal "$status" "$1" "the exit status of $3: $(cat errors)"; contains "$(cat errors)" "$2" "$3"; }
refused 6 "$thumbprint" $server
refused 6 "is not trusted" $server --thumbprint=$(printf "%064d" 0)
refused 2 "requires --server=" --key-file=key
refused 2 "HOST:PORT" --server=http://localhost --key-file=key
refused 7 "The upload failed" --server=localhost --thumbprint=$thumbprint --key-file=key-read
refused 2 "over ssh" -H localhost
equal "$(hyperctl upload /dev/null 2>&1 >/dev/null || :)" "hyperctl: /dev/null cannot be uploaded: it is not a regular file." "a device"
journalctl -o cat | grep -F "$(cat key)" && fail "the key is in the journal"
true'
inside rm -rf /srv/up
