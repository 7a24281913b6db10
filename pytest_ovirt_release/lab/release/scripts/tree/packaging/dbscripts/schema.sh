#!/bin/bash
# Creates the engine's schema in an empty database, or brings an older one up to date.
#
#   schema.sh -c apply [-s HOST] [-p PORT] [-u USER] [-d DATABASE] [-v]
#
# HOST may be the folder of a socket. The password comes from PGPASSFILE. Each script of upgrade/ runs in one
# transaction together with its row of schema_version; a second run finds nothing to do and says so.

set -euo pipefail

server=localhost
port=5432
user=engine
database=engine
action=
verbose=

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

die() {
    printf 'schema: FATAL: %s\n' "$1" >&2
    exit 1
}

say() {
    printf 'schema: %s\n' "$1"
}

usage() {
    printf 'usage: schema.sh -c apply [-s HOST] [-p PORT] [-u USER] [-d DATABASE] [-v]\n'
}

database_client() {
    PGOPTIONS="--client-min-messages=warning" psql --no-psqlrc --quiet --no-password \
        --set ON_ERROR_STOP=1 --host "$server" --port "$port" --username "$user" --dbname "$database" "$@"
}

answer_to() {
    database_client --tuples-only --no-align --command "$1"
}

# 04_05_0010_add_something.sql -> 04050010
version_of() {
    local name=${1##*/}
    [[ $name =~ ^([0-9]{2})_([0-9]{2})_([0-9]{4})_[a-z0-9_]+\.sql$ ]] \
        || die "$name is not named NN_NN_NNNN_words.sql"
    printf '%s%s%s' "${BASH_REMATCH[@]:1:3}"
}

checksum_of() {
    local sum
    sum=$(md5sum -- "$1")
    printf '%s' "${sum%% *}"
}

create_tables() {
    say "creating tables"
    database_client --single-transaction --file "$here/create_tables.sql" >/dev/null \
        || die "create_tables.sql failed; nothing was changed"
}

# Sets everything that the statements below take as a psql variable; none of it is ever pasted into SQL.
record_options() {
    local script=$1 version=$2 checksum=$3 state=$4
    options=(--set "script=upgrade/${script##*/}" --set "version=$version" --set "checksum=$checksum" --set "state=$state")
}

readonly RECORD_CURRENT="UPDATE schema_version SET current = false WHERE current;
INSERT INTO schema_version (version, script, checksum, installed_by, started_at, ended_at, state, current)
VALUES (:'version', :'script', :'checksum', session_user, :'started', clock_timestamp(), :'state', true);"

readonly RECORD_FAILURE="INSERT INTO schema_version
(version, script, checksum, installed_by, started_at, ended_at, state, current)
VALUES (:'version', :'script', :'checksum', session_user, clock_timestamp(), clock_timestamp(), 'FAILED', false);"

install_script() {
    local script=$1 version=$2 checksum=$3 options
    record_options "$script" "$version" "$checksum" INSTALLED
    say "running ${script##*/}"
    if ! {
        printf "SELECT clock_timestamp() AS started \\gset\n\\i '%s'\n%s\n" "${script//\'/\'\'}" "$RECORD_CURRENT"
    } | database_client --single-transaction "${options[@]}" --file - >/dev/null; then
        printf '%s\n' "$RECORD_FAILURE" | database_client "${options[@]}" --file - >/dev/null || true
        die "${script##*/} failed; it was rolled back, earlier scripts stay"
    fi
}

# A script whose content ran before under another name is recorded, not run again.
skip_script() {
    local script=$1 options
    record_options "$script" "$2" "$3" SKIPPED
    say "skipping ${script##*/}: the same content ran before"
    printf 'SELECT clock_timestamp() AS started \\gset\n%s\n' "$RECORD_CURRENT" \
        | database_client --single-transaction "${options[@]}" --file - >/dev/null
}

apply_script() {
    local script=$1 version checksum
    version=$(version_of "$script")
    checksum=$(checksum_of "$script")
    if [[ -n ${installed[$version]:-} ]]; then
        # 0: the version that a new database begins with.
        [[ ${installed[$version]} == "$checksum" || ${installed[$version]} == 0 ]] \
            || die "${script##*/} ran before with another content (${installed[$version]}, now $checksum)"
        return
    fi
    if [[ -n ${seen[$checksum]:-} ]]; then
        skip_script "$script" "$version" "$checksum"
    else
        install_script "$script" "$version" "$checksum"
    fi
    seen[$checksum]=$version
    changed=$((changed + 1))
}

apply() {
    local present version checksum
    answer_to "SELECT 1" >/dev/null || die "no answer from database $database on $server, port $port, user $user"
    present=$(answer_to "SELECT count(*) FROM information_schema.tables
        WHERE table_schema = current_schema() AND table_name = 'schema_version'")
    [[ $present == 1 ]] || create_tables

    declare -A installed=() seen=()
    changed=0
    while IFS='|' read -r version checksum; do
        [[ -n $version ]] || continue
        installed[$version]=$checksum
        seen[$checksum]=$version
    done < <(answer_to "SELECT version, checksum FROM schema_version WHERE state IN ('INSTALLED', 'SKIPPED')")

    local script
    for script in "$here"/upgrade/*.sql; do
        apply_script "$script"
    done
    if [[ $changed == 0 ]]; then
        say "database $database is up to date"
    else
        say "database $database: $changed scripts applied, version $(answer_to "SELECT version FROM schema_version WHERE current")"
    fi
}

main() {
    local option
    while getopts ":s:p:u:d:c:vh" option; do
        case $option in
            s) server=$OPTARG ;;
            p) port=$OPTARG ;;
            u) user=$OPTARG ;;
            d) database=$OPTARG ;;
            c) action=$OPTARG ;;
            v) verbose=1 ;;
            h) usage; exit 0 ;;
            *) usage >&2; die "option -$OPTARG is unknown or lacks its value" ;;
        esac
    done
    command -v psql >/dev/null || die "psql is not installed"
    [[ -n $verbose ]] && set -x
    case $action in
        apply) apply ;;
        "") usage >&2; die "-c is missing" ;;
        *) usage >&2; die "-c $action is unknown; known is: apply" ;;
    esac
}

main "$@"
