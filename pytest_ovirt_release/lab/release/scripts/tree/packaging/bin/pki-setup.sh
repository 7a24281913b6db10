#!/bin/bash
# Makes the engine's certificate authority and its server certificate.
#
#   pki-setup.sh OUT HOST [NAME...]
#
# OUT gets:  ca.pem               the authority's certificate
#            certs/engine.cer     the engine's certificate, for HOST and every further NAME
#            keys/engine.key      its key (mode 0600)
#            private/ca.key       the authority's key (mode 0600, folder 0700)
#
# PKI_ORGANIZATION names the organisation in the subjects (default: oVirt).
# An existing authority is never replaced.

set -euo pipefail

readonly CA_DAYS=7300
readonly SERVER_DAYS=398
readonly CURVE=prime256v1

die() {
    printf 'pki-setup: FATAL: %s\n' "$1" >&2
    exit 1
}

say() {
    printf 'pki-setup: %s\n' "$1"
}

# A "/" starts the next part of an openssl subject, "+" a further value, "\" protects the character after it.
subject_word() {
    local text=$1
    text=${text//\\/\\\\}
    text=${text//\//\\/}
    printf '%s' "${text//+/\\+}"
}

# Prints one subjectAltName entry: an address if it looks like one, else a host name.
alternative_name() {
    if [[ $1 =~ ^[0-9]+(\.[0-9]+){3}$ || $1 =~ ^[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*$ ]]; then
        printf 'IP:%s' "$1"
    elif [[ $1 =~ ^[A-Za-z0-9*]([A-Za-z0-9.-]*[A-Za-z0-9])?$ ]]; then
        printf 'DNS:%s' "$1"
    else
        die "'$1' is neither a host name nor an address"
    fi
}

write_configuration() {
    local names=$1
    cat >"$scratch/openssl.cnf" <<CONF
[req]
distinguished_name = subject
prompt = no
string_mask = utf8only
[subject]
[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = $names
CONF
}

make_authority() {
    openssl req -x509 -new -utf8 -newkey ec -pkeyopt "ec_paramgen_curve:$CURVE" -nodes -sha256 -days "$CA_DAYS" \
        -config "$scratch/openssl.cnf" -extensions authority \
        -subj "/C=US/O=$(subject_word "$organization")/CN=$(subject_word "${host:0:55}").$((10000 + RANDOM))" \
        -keyout "$out/private/ca.key" -out "$scratch/ca.pem" 2>"$scratch/log" \
        || { cat "$scratch/log" >&2; die "the authority could not be made"; }
    install -m 0644 "$scratch/ca.pem" "$out/ca.pem"
    say "authority made: $out/ca.pem"
}

request_certificate() {
    openssl req -new -utf8 -newkey ec -pkeyopt "ec_paramgen_curve:$CURVE" -nodes -sha256 \
        -config "$scratch/openssl.cnf" \
        -subj "/C=US/O=$(subject_word "$organization")/CN=$(subject_word "${host:0:64}")" \
        -keyout "$out/keys/engine.key" -out "$scratch/engine.req" 2>"$scratch/log" \
        || { cat "$scratch/log" >&2; die "the certificate request could not be made"; }
}

sign_certificate() {
    openssl x509 -req -sha256 -days "$SERVER_DAYS" -in "$scratch/engine.req" \
        -CA "$out/ca.pem" -CAkey "$out/private/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
        -extfile "$scratch/openssl.cnf" -extensions server \
        -out "$scratch/engine.cer" 2>"$scratch/log" \
        || { cat "$scratch/log" >&2; die "the certificate could not be signed"; }
    install -m 0644 "$scratch/engine.cer" "$out/certs/engine.cer"
    say "certificate made: $out/certs/engine.cer"
}

main() {
    [[ $# -ge 2 ]] || die "usage: pki-setup.sh OUT HOST [NAME...]"
    command -v openssl >/dev/null || die "openssl is not installed"
    out=$1
    host=$2
    organization=${PKI_ORGANIZATION:-oVirt}
    [[ -e $out/ca.pem ]] && die "$out/ca.pem exists; an authority is never replaced"

    local name names=""
    for name in "${@:2}"; do
        names+=${names:+,}$(alternative_name "$name")
    done

    umask 077
    mkdir -p "$out"
    mkdir -m 0755 "$out/certs"
    mkdir -m 0700 "$out/keys" "$out/private"
    scratch=$(mktemp -d)
    trap 'rm -rf -- "$scratch"' EXIT

    write_configuration "$names"
    make_authority
    request_certificate
    sign_certificate
    say "done"
}

main "$@"
