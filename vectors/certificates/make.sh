#!/usr/bin/env bash
# Makes the certificates of this folder anew, all of them throw-away: their keys are public. Needs openssl 3 and node.
set -euo pipefail
out="$(cd "$(dirname "$0")" && pwd)/certificates.json"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
serial=1

key() { # name algorithm [option]
  case "$2" in
  p256) openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" ;;
  p384) openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$1.key" ;;
  ed25519) openssl genpkey -quiet -algorithm ed25519 -out "$1.key" ;;
  rsa) openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.key" ;;
  rsa1024) openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out "$1.key" ;;
  rsa-pss) openssl genpkey -quiet -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out "$1.key" ;;
  esac
}

certificate() { # name algorithm issuer subject extensions [not-before not-after]
  local name="$1" issuer="$3" from="${6:-20260101000000Z}" to="${7:-21260101000000Z}"
  key "$name" "$2"
  openssl req -new -key "$name.key" -subj "$4" -out "$name.csr"
  printf '%b' "$5" >"$name.ext"
  : >"index.$name"
  cat >"ca.$name" <<CONF
[ca]
default_ca = here
[here]
database = index.$name
serial = serial.$name
new_certs_dir = .
default_md = ${MD:-sha256}
policy = any
unique_subject = no
[any]
commonName = optional
organizationName = optional
CONF
  printf '%02x' "$serial" >"serial.$name"
  serial=$((serial + 1))
  local signer=(-cert "$issuer.crt" -keyfile "$issuer.key")
  [ "$issuer" = "$name" ] && signer=(-selfsign -keyfile "$name.key")
  local md=()
  grep -q "ED25519" <(openssl pkey -in "$issuer.key" -noout -text 2>/dev/null) && md=(-md null)
  openssl ca -batch -notext -config "ca.$name" "${signer[@]}" "${md[@]}" -in "$name.csr" -out "$name.crt" \
    -startdate "$from" -enddate "$to" -extfile "$name.ext" 2>"$name.log" || { cat "$name.log" >&2; exit 1; }
}

ca='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
server='basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n'
client='basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nsubjectAltName=email:user@example.com\n'
here='subjectAltName=DNS:localhost,DNS:server.example,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1\n'

certificate root p256 root '/CN=Test Root' "$ca"
certificate other-root p256 other-root '/CN=Other Root' "$ca"
certificate intermediate p256 root '/CN=Test Intermediate' "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"
certificate below p256 intermediate '/CN=One Too Many' "$ca"
certificate no-ca p256 root '/CN=No Authority' "basicConstraints=critical,CA:FALSE\n"
certificate constrained p256 root '/CN=Constrained' "${ca}nameConstraints=critical,permitted;DNS:example.com,permitted;IP:10.0.0.0/255.0.0.0,excluded;DNS:secret.example.com\n"
certificate expired-intermediate p256 root '/CN=Expired Intermediate' "$ca" 20200101000000Z 20210101000000Z
certificate client-only p256 root '/CN=Client Authority' "${ca}extendedKeyUsage=clientAuth\n"

for kind in p256 p384 ed25519 rsa rsa-pss; do
  certificate "$kind" "$kind" intermediate "/CN=Server $kind" "$server$here"
  certificate "client-$kind" "$kind" intermediate "/CN=Client $kind" "$client"
done
certificate self-signed p256 self-signed '/CN=Self-signed' "subjectAltName=DNS:localhost\n"
certificate expired p256 intermediate '/CN=Expired' "$server$here" 20200101000000Z 20210101000000Z
certificate not-yet-valid p256 intermediate '/CN=Not Yet Valid' "$server$here" 21200101000000Z 21260101000000Z
certificate wrong-host p256 intermediate '/CN=localhost' "${server}subjectAltName=DNS:elsewhere.example\n"
certificate common-name-only p256 intermediate '/CN=localhost' "$server"
certificate wildcard p256 intermediate '/CN=Wildcard' "${server}subjectAltName=DNS:*.example.com,DNS:f*.example.org\n"
certificate below-no-ca p256 no-ca '/CN=Below No Authority' "$server$here"
certificate below-below p256 below '/CN=Too Deep' "$server$here"
certificate below-expired p256 expired-intermediate '/CN=Below Expired' "$server$here"
certificate below-client-only p256 client-only '/CN=Below Client Authority' "$server$here"
certificate permitted p256 constrained '/CN=Permitted' "${server}subjectAltName=DNS:www.example.com,IP:10.1.2.3\n"
certificate not-permitted p256 constrained '/CN=Not Permitted' "${server}subjectAltName=DNS:www.example.org\n"
certificate not-permitted-address p256 constrained '/CN=Not Permitted' "${server}subjectAltName=IP:192.0.2.1\n"
certificate excluded p256 constrained '/CN=Excluded' "${server}subjectAltName=DNS:very.secret.example.com\n"
certificate encipher-only p256 intermediate '/CN=Key Agreement' "keyUsage=critical,keyAgreement\nextendedKeyUsage=serverAuth\n$here"
certificate critical p256 intermediate '/CN=Critical' "${server}${here}1.3.6.1.4.1.55738.666.1=critical,ASN1:NULL\n"
certificate weak-key rsa1024 intermediate '/CN=Weak Key' "$server$here"
MD=sha1 certificate weak-signature p256 intermediate '/CN=Weak Signature' "$server$here"

for kind in ed25519 rsa rsa-pss p384; do
  certificate "$kind-root" "$kind" "$kind-root" "/CN=Root $kind" "$ca"
  certificate "below-$kind-root" p256 "$kind-root" "/CN=Below Root $kind" "$server$here"
done

node -e '
  const fs = require("node:fs");
  const names = fs.readdirSync(".").filter((file) => file.endsWith(".crt")).map((file) => file.slice(0, -4)).sort();
  const read = (name) => ({ cert: fs.readFileSync(name + ".crt", "utf8"), key: fs.readFileSync(name + ".key", "utf8") });
  fs.writeFileSync(process.argv[1], JSON.stringify(Object.fromEntries(names.map((n) => [n, read(n)])), null, 1) + "\n");
' "$out"
