// Sends energy measurements with node-soap, signed with WS-Security, and verifies what is answered.
'use strict';

const fs = require('fs');
const https = require('https');
const readline = require('readline');
const axios = require('axios');
const soap = require('soap');
const { DOMParser } = require('@xmldom/xmldom');
const { SignedXml } = require('xml-crypto');

const [url, caFile, receiptFile] = process.argv.slice(2);
const receipts = fs.readFileSync(receiptFile, 'utf8').match(/-----BEGIN[^]+?-----END CERTIFICATE-----\n/g);
const http = axios.create({ httpsAgent: new https.Agent({ ca: fs.readFileSync(caFile) }), proxy: false, timeout: 30000 });

// The elements in `messages` are in no namespace. node-soap would put them into the service's by a
// default namespace on the root element; with the root's attributes given it does not.
const wsdlOptions = {
  request: http,
  overrideRootElement: { namespace: 'urb', xmlnsAttributes: [{ name: 'xmlns:urb', value: 'http://urb-grade.eu' }] },
};

function security(exchange) {
  // District takes wsu:Id only, which node-soap writes with this idMode. rsa-sha256 and sha256 are
  // node-soap's defaults; naming them changes the references, so they are left unnamed.
  const options = { hasTimeStamp: true, signerOptions: { idMode: 'wssecurity' } };
  if (exchange.algorithm === 'rsa-sha1') {
    options.signatureAlgorithm = 'http://www.w3.org/2000/09/xmldsig#rsa-sha1';
    options.digestAlgorithm = 'http://www.w3.org/2000/09/xmldsig#sha1';
  }
  if (exchange.ids === 'plain') delete options.signerOptions.idMode;
  return new soap.WSSecurityCert(fs.readFileSync(exchange.key), fs.readFileSync(exchange.certificate), '', options);
}

function argumentsFrom(file) {
  const given = JSON.parse(fs.readFileSync(file, 'utf8'));
  const message = given.messages.map((entry) => ({
    head: {
      timestamp: entry.timestamp,
      messageType: { type: entry.type, version: entry.version },
      messageSource: {
        messageSourceElement: entry.source,
        ...(entry.position && { messagePosition: { messagePositionX: entry.position[0], messagePositionY: entry.position[1] } }),
      },
    },
    content: { gcontent: Object.fromEntries(entry.content) },
  }));
  return { messages: { message }, tenantCode: given.tenantCode };
}

const WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd';
const elements = (node, name) => Array.from(node.getElementsByTagNameNS('*', name));
const signatureValue = (xml) =>
  elements(new DOMParser().parseFromString(xml, 'text/xml'), 'SignatureValue')[0].textContent.replace(/\s/g, '');

// Whether an answer is signed by the server, and confirms the request. What is believed is read from
// the octets that were signed, never from the document around them.
function verify(request, answer) {
  const signature = elements(new DOMParser().parseFromString(answer, 'text/xml'), 'Signature')[0];
  if (!signature) return { signature: 'none', confirmed: false };
  for (const publicCert of receipts) {
    const verifier = new SignedXml({ publicCert, idMode: 'wssecurity' });
    verifier.getCertFromKeyInfo = () => null; // the certificate that we know, not the one in the message
    try {
      verifier.loadSignature(signature);
      if (!verifier.checkSignature(answer)) continue;
    } catch (error) {
      continue;
    }
    // xml-crypto refuses an id that occurs twice, so this envelope's Body is the one that was signed.
    const envelope = new DOMParser().parseFromString(answer, 'text/xml').documentElement;
    const inEnvelope = Array.from(envelope.childNodes).find((child) => child.localName === 'Body');
    const named = verifier.getReferences().map((reference) => reference.uri);
    if (!named.includes(`#${inEnvelope.getAttributeNS(WSU, 'Id')}`)) return { signature: 'not of this Body', confirmed: false };
    const signed = verifier.getSignedReferences().map((xml) => new DOMParser().parseFromString(xml, 'text/xml').documentElement);
    const of = (name) => signed.find((element) => element.localName === name);
    if (!of('Body') || !of('Timestamp') || !of('SignatureConfirmation')) return { signature: 'does not cover all', confirmed: false };
    return {
      signature: 'verified',
      confirmed: of('SignatureConfirmation').getAttribute('Value') === signatureValue(request),
      body: of('Body'),
    };
  }
  return { signature: 'does not verify', confirmed: false };
}

// The answer to octets that were sent before: a gateway that lost the answer sends them again.
async function resend(octets) {
  const answer = await http.post(url, octets, {
    headers: { 'Content-Type': 'text/xml; charset=utf-8', SOAPAction: '"http://urb-grade.eu/AggregateMessage"' },
    validateStatus: () => true,
    responseType: 'text',
  });
  return answer.data;
}

async function send(exchange) {
  let request, answer;
  if (exchange.resend) {
    request = fs.readFileSync(`${exchange.resend}-request.xml`, 'utf8');
    answer = await resend(request);
  } else {
    const options = exchange.namespaces === 'default' ? { request: http, disableCache: true } : wsdlOptions;
    const client = await soap.createClientAsync(`${url}?wsdl`, options);
    client.setSecurity(security(exchange));
    try {
      await client.AggregateMessageAsync(argumentsFrom(exchange.request));
    } catch (error) {
      if (!client.lastResponse) throw error;
    }
    request = client.lastRequest;
    answer = client.lastResponse;
  }
  fs.writeFileSync(`${exchange.record}-request.xml`, request);
  fs.writeFileSync(`${exchange.record}-answer.xml`, answer);

  const { body, ...result } = verify(request, answer);
  const fault = elements(new DOMParser().parseFromString(answer, 'text/xml'), 'Fault')[0];
  if (fault) {
    result.fault = elements(fault, 'faultcode')[0].textContent.split(':').pop();
    result.text = elements(fault, 'faultstring')[0].textContent;
  } else if (result.signature === 'verified' && result.confirmed) {
    result.receiptId = elements(body, 'receiptId')[0].textContent;
  }
  return result;
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const exchange = Object.fromEntries(line.split(' ').map((word) => word.split(/=(.*)/s, 2)));
    console.log(JSON.stringify(await send(exchange)));
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
