#!/usr/bin/env bash
# Installs what the tests need (as root, only what is missing), starts a PostgreSQL of its own, builds, and runs every test.
# The last line says "N passed, N failed, N skipped". Fails when a test fails, when none ran, and, with CI=true, when one was skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
# Build servers that outlive this script would hold its output open.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
export LANG="${LANG:-C.UTF-8}" LC_ALL="${LC_ALL:-C.UTF-8}"

# A service account may have no home, or one that cannot be written; dotnet needs one.
if [[ -z "${HOME:-}" || ! -w "${HOME:-/nonexistent}" ]]; then
    HOME="$(mktemp -d)"
    export HOME
fi
if ! command -v dotnet >/dev/null; then
    for place in "${DOTNET_ROOT:-}" /usr/share/dotnet /usr/lib/dotnet "$HOME/.dotnet"; do
        if [[ -n "$place" && -x "$place/dotnet" ]]; then
            export PATH="$place:$PATH"
            break
        fi
    done
fi
command -v dotnet >/dev/null || { echo "The .NET SDK of global.json is needed; it is not on the PATH." >&2; exit 1; }

work="$(mktemp -d)"
postgres_bin=""
as_postgres() {
    if [[ "$(id -u)" == 0 ]]; then
        # su is everywhere, sudo and runuser are not.
        su -s /bin/bash postgres -c "cd / && $(printf '%q ' "$@")"
    else
        "$@"
    fi
}
finish() {
    status=$?
    trap - EXIT
    if [[ -f "$work/postgres/data/postmaster.pid" ]]; then
        as_postgres "$postgres_bin/pg_ctl" -D "$work/postgres/data" -m immediate -w stop >/dev/null 2>&1 || true
    fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

find_postgres() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }
has_icu() { ldconfig -p 2>/dev/null | grep -q libicuuc || ls /usr/lib/*/libicuuc.so.* >/dev/null 2>&1; }
find_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome || true; }

missing=()
has_icu || missing+=(libicu-dev)
[[ -n "$(find_postgres)" ]] || missing+=(postgresql)
[[ -n "$(find_chromium)" ]] || missing+=(chromium)
command -v gzip >/dev/null || missing+=(gzip)
command -v curl >/dev/null || missing+=(curl)
if ((${#missing[@]})); then
    if [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null; then
        echo "Installing: ${missing[*]}"
        export DEBIAN_FRONTEND=noninteractive
        # The private server below is all the tests need; Debian's own cluster is not made.
        mkdir -p /etc/postgresql-common
        [[ -f /etc/postgresql-common/createcluster.conf ]] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
        apt-get update -qq || true
        for package in "${missing[@]}"; do
            apt-get install -y -qq --no-install-recommends "$package" >"$work/apt.log" 2>&1 \
                || { tail -n 5 "$work/apt.log" >&2; echo "Could not install $package; the tests that need it cannot run." >&2; }
        done
    else
        echo "Missing: ${missing[*]}. The tests that need them are skipped." >&2
    fi
fi

postgres_bin="$(find_postgres)"
if [[ -n "${THREATFEEDS_TEST_POSTGRES:-}" ]]; then
    echo "Using the PostgreSQL of THREATFEEDS_TEST_POSTGRES."
elif [[ -n "$postgres_bin" ]] && { [[ "$(id -u)" != 0 ]] || id postgres >/dev/null 2>&1; }; then
    mkdir "$work/postgres"
    chmod 755 "$work"
    # PostgreSQL refuses to run as root.
    [[ "$(id -u)" != 0 ]] || chown postgres "$work/postgres"
    if as_postgres "$postgres_bin/initdb" -D "$work/postgres/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$work/initdb.log" 2>&1; then
        # A socket only, no port to collide with. Durability is not what these tests test.
        options="-c listen_addresses= -c unix_socket_directories=$work/postgres -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300"
        if as_postgres "$postgres_bin/pg_ctl" -D "$work/postgres/data" -w -t 60 -l "$work/postgres/log" -o "$options" start >/dev/null; then
            export THREATFEEDS_TEST_POSTGRES="Host=$work/postgres;Username=postgres;Database=postgres"
        else
            cat "$work/postgres/log" >&2 || true
        fi
    else
        cat "$work/initdb.log" >&2
    fi
fi
[[ -n "${THREATFEEDS_TEST_POSTGRES:-}" ]] || echo "No PostgreSQL: its tests are skipped (in CI they fail)." >&2
THREATFEEDS_TEST_CHROMIUM="${THREATFEEDS_TEST_CHROMIUM:-$(find_chromium)}"
export THREATFEEDS_TEST_CHROMIUM

dotnet build ThreatFeeds.sln -c Release -p:UseSharedCompilation=false

status=0
dotnet test ThreatFeeds.sln -c Release --no-build --results-directory "$work/results" --logger "trx" --logger "console;verbosity=minimal" || status=$?

# Sums the counters of every result file; a skipped test is one that was neither executed nor passed.
count() { { cat "$work"/results/*.trx 2>/dev/null || true; } | grep -o '<Counters [^>]*>' | { grep -o " $1=\"[0-9]*\"" || true; } | tr -dc '0-9\n' | awk '{ n += $1 } END { print n + 0 }'; }
# Names every failed test once more, with the first lines of why: a long output is read from its end.
failures() {
    { cat "$work"/results/*.trx 2>/dev/null || true; } | awk '
        /<UnitTestResult / { name = ""; if (/outcome="Failed"/) { name = $0; sub(/.* testName="/, "", name); sub(/" [a-zA-Z]+=".*/, "", name) } }
        name != "" && /<Message>/ { sub(/.*<Message>/, ""); lines = 6; print "FAILED " name }
        name != "" && lines > 0 { text = $0; ended = sub(/<\/Message>.*/, "", text); print "    " substr(text, 1, 300); lines = ended ? 0 : lines - 1 }'
}

failures
total="$(count total || echo 0)"
passed="$(count passed || echo 0)"
failed=$(($(count failed || echo 0) + $(count error || echo 0) + $(count timeout || echo 0) + $(count aborted || echo 0)))
skipped=$((total - passed - failed))

if ((total == 0)); then
    echo "No test ran." >&2
    status=1
elif ((failed > 0)); then
    status=1
elif [[ "${CI:-}" == true ]] && ((skipped > 0)); then
    echo "In CI nothing may be skipped." >&2
    status=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
