#!/usr/bin/env bash
# Sends energy measurements with curl, signed by the xmlsec1 program from a template, and verifies
# what is answered with it.
# An exchange comes as words NAME=VALUE on standard input, and becomes variables by declare.
# shellcheck disable=SC2154
set -euo pipefail

url=$1 ca=$2 receipts=$3
wss=http://docs.oasis-open.org/wss
wsse=$wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd
wsse11=$wss/oasis-wss-wssecurity-secext-1.1.xsd
wsu=$wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd
x509=$wss/2004/01/oasis-200401-wss-x509-token-profile-1.0
message=$wss/2004/01/oasis-200401-wss-soap-message-security-1.0
thumbprint=$wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1
soap=http://schemas.xmlsoap.org/soap/envelope/
ds=http://www.w3.org/2000/09/xmldsig#
more=http://www.w3.org/2001/04/xmldsig-more#

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v folder="$work" '/BEGIN CERTIFICATE/ { n++ } { print > (folder "/receipt-" n ".pem") }' "$receipts"

reference() {
  printf '<ds:Reference URI="#%s"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms><ds:DigestMethod Algorithm="%s"/><ds:DigestValue/></ds:Reference>\n' "$1" "$digest"
}

# The template: digests and SignatureValue are empty, xmlsec1 fills them.
template() {
  local method=${more}$algorithm digest=http://www.w3.org/2001/04/xmlenc#sha256 token='' key der64
  [[ $algorithm != rsa-sha1 ]] || { method=${ds}rsa-sha1; digest=${ds}sha1; }
  der64=$(openssl x509 -in "$certificate" -outform DER | base64)
  case $reference in
    token)
      token="<wsse:BinarySecurityToken wsu:Id=\"Token\" EncodingType=\"$message#Base64Binary\" ValueType=\"$x509#X509v3\">$der64</wsse:BinarySecurityToken>"
      key="<wsse:Reference URI=\"#Token\" ValueType=\"$x509#X509v3\"/>" ;;
    thumbprint)
      key="<wsse:KeyIdentifier EncodingType=\"$message#Base64Binary\" ValueType=\"$thumbprint\">$(openssl x509 -in "$certificate" -outform DER | openssl sha1 -binary | base64)</wsse:KeyIdentifier>" ;;
    x509-data)
      key="<ds:X509Data><ds:X509Certificate>$der64</ds:X509Certificate></ds:X509Data>" ;;
  esac
  cat <<XML
<soap:Envelope xmlns:soap="$soap" xmlns:wsu="$wsu"><soap:Header>
<wsse:Security xmlns:wsse="$wsse" soap:mustUnderstand="1">
<wsu:Timestamp wsu:Id="Timestamp"><wsu:Created>$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)</wsu:Created><wsu:Expires>$(date -u -d '+5 minutes' +%Y-%m-%dT%H:%M:%SZ)</wsu:Expires></wsu:Timestamp>
$token
<ds:Signature xmlns:ds="$ds"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<ds:SignatureMethod Algorithm="$method"/>
$(reference Timestamp)
$(reference Body)
</ds:SignedInfo><ds:SignatureValue/>
<ds:KeyInfo><wsse:SecurityTokenReference>$key</wsse:SecurityTokenReference></ds:KeyInfo>
</ds:Signature></wsse:Security></soap:Header>
<soap:Body wsu:Id="Body">$(cat "${request%.*}.xml")</soap:Body></soap:Envelope>
XML
}

# One text of an XML file, by an XPath without prefixes.
xpath() { xmllint --nonet --xpath "string($2)" "$1"; }

verify() {
  local value receipt part id
  confirmed=false
  value=$(xpath "$1" "//*[local-name()='SignatureConfirmation']/@Value")
  if [[ -z $(xpath "$1" "//*[local-name()='SignatureValue']") ]]; then
    signature=none
    return
  fi
  signature='by none of the receipt certificates'
  for receipt in "$work"/receipt-*.pem; do
    if xmlsec1 --verify --pubkey-cert-pem "$receipt" --enabled-key-data key-name \
        --id-attr:Id "$soap:Body" --id-attr:Id "$wsu:Timestamp" --id-attr:Id "$wsse11:SignatureConfirmation" \
        "$1" >/dev/null 2>&1; then
      signature=verified
    fi
  done
  # xmlsec1 says that what the references name is unchanged; that they name all this is for us to see.
  local security="/*/*[local-name()='Header']/*[local-name()='Security']"
  for part in "/*/*[local-name()='Body']" "$security/*[local-name()='Timestamp']" "$security/*[local-name()='SignatureConfirmation']"; do
    id=$(xpath "$1" "$part/@*[local-name()='Id']")
    [[ -n $id && -n $(xpath "$1" "//*[local-name()='SignedInfo']/*[@URI='#$id']/@URI") ]] || signature='does not cover all'
  done
  if [[ $signature == verified && $value == "$(xpath "$record-request.xml" "//*[local-name()='SignatureValue']" | tr -d '[:space:]')" ]]; then
    confirmed=true
  fi
}

while read -r -a exchange; do
  unset resend
  for word in "${exchange[@]}"; do
    declare "$word"
  done
  if [[ -n ${resend:-} ]]; then
    [[ $resend == "$record" ]] || cp "$resend-request.xml" "$record-request.xml"
  else
    template >"$work/template.xml"
    xmlsec1 --sign --privkey-pem "$key" --id-attr:Id "$soap:Body" --id-attr:Id "$wsu:Timestamp" \
      --output "$record-request.xml" "$work/template.xml"
  fi
  # --data-binary: --data would take the line breaks out, which are signed.
  curl --silent --show-error --noproxy '*' --max-time 30 --cacert "$ca" --header 'Content-Type: text/xml; charset=utf-8' \
    --header 'SOAPAction: "http://urb-grade.eu/AggregateMessage"' --data-binary "@$record-request.xml" \
    --output "$record-answer.xml" "$url"
  verify "$record-answer.xml"
  printf '{"signature": "%s", "confirmed": %s' "$signature" "$confirmed"
  fault=$(xpath "$record-answer.xml" '//faultcode')
  if [[ -n $fault ]]; then
    printf ', "fault": "%s", "text": "%s"}\n' "${fault##*:}" "$(xpath "$record-answer.xml" '//faultstring')"
  elif [[ $confirmed == true ]]; then
    printf ', "receiptId": "%s"}\n' "$(xpath "$record-answer.xml" "/*/*[local-name()='Body']/*/*[local-name()='receiptId']")"
  else
    printf '}\n'
  fi
done
