<?php
// WS-Security for PHP's SoapClient, of the standard extensions only: signs Timestamp and Body of a
// request with the gateway's key, and verifies the signature of an answer.

final class WsSecurity
{
    private const WSS = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-';
    private const WSSE = self::WSS . 'wssecurity-secext-1.0.xsd';
    private const WSSE11 = 'http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd';
    private const WSU = self::WSS . 'wssecurity-utility-1.0.xsd';
    private const X509 = self::WSS . 'x509-token-profile-1.0#';
    private const MESSAGE = self::WSS . 'soap-message-security-1.0#';
    private const THUMBPRINT = 'http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1';
    private const DS = 'http://www.w3.org/2000/09/xmldsig#';
    private const EXC = 'http://www.w3.org/2001/10/xml-exc-c14n#';

    // name => [SignatureMethod, its hash, DigestMethod, its hash]
    private const ALGORITHMS = [
        'rsa-sha256' => ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', OPENSSL_ALGO_SHA256,
            'http://www.w3.org/2001/04/xmlenc#sha256', 'sha256'],
        'ecdsa-sha256' => ['http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256', OPENSSL_ALGO_SHA256,
            'http://www.w3.org/2001/04/xmlenc#sha256', 'sha256'],
        'rsa-sha1' => [self::DS . 'rsa-sha1', OPENSSL_ALGO_SHA1, self::DS . 'sha1', 'sha1'],
    ];

    private string $certificate; // base64 of the DER form, in lines as PEM has them
    private string $signatureValue = '';

    public function __construct(
        private string $certificatePem,
        private OpenSSLAsymmetricKey $key,
        private string $algorithm = 'rsa-sha256',
        private string $reference = 'token',
    ) {
        $this->certificate = trim(preg_replace('/-----[A-Z ]+-----/', '', $certificatePem));
    }

    // -- requests ----------------------------------------------------------------------------------

    public function sign(string $request): string
    {
        $document = new DOMDocument();
        $document->loadXML($request, LIBXML_NONET);
        $envelope = $document->documentElement;
        $soap = $envelope->namespaceURI;
        $prefix = $envelope->prefix;
        $body = $envelope->getElementsByTagNameNS($soap, 'Body')->item(0);
        $header = $envelope->getElementsByTagNameNS($soap, 'Header')->item(0)
            ?? $envelope->insertBefore($document->createElementNS($soap, "$prefix:Header"), $body);

        $security = $header->appendChild($document->createElementNS(self::WSSE, 'wsse:Security'));
        $security->setAttributeNS($soap, "$prefix:mustUnderstand", '1');
        $timestamp = $security->appendChild($document->createElementNS(self::WSU, 'wsu:Timestamp'));
        $now = time();
        $timestamp->appendChild($document->createElementNS(self::WSU, 'wsu:Created', gmdate('Y-m-d\TH:i:s\Z', $now)));
        $timestamp->appendChild($document->createElementNS(self::WSU, 'wsu:Expires', gmdate('Y-m-d\TH:i:s\Z', $now + 300)));
        if ($this->reference === 'token') {
            $token = $this->typed($document, 'BinarySecurityToken', self::X509 . 'X509v3', $this->certificate);
            $token->setAttributeNS(self::WSU, 'wsu:Id', 'X509-' . bin2hex(random_bytes(8)));
            $security->appendChild($token);
        }
        foreach ([$timestamp, $body] as $signed) {
            $signed->setAttributeNS(self::WSU, 'wsu:Id', 'id-' . bin2hex(random_bytes(8)));
        }
        $this->addSignature($security, [$timestamp, $body], $token ?? null);
        return $document->saveXML(); // nothing may change the document after this
    }

    private function addSignature(DOMElement $security, array $signed, ?DOMElement $token): void
    {
        [$method, $hash, $digestMethod, $digest] = self::ALGORITHMS[$this->algorithm];
        $document = $security->ownerDocument;
        // In the document from the start: C14N() of a node that is not in it yet gives nothing.
        $signature = $security->appendChild($document->createElementNS(self::DS, 'ds:Signature'));
        $signature->setAttributeNS('http://www.w3.org/2000/xmlns/', 'xmlns:ds', self::DS);
        $add = static fn (DOMElement $to, string $name, string $text = '', string ...$attribute) =>
            $to->appendChild(self::with($document->createElementNS(self::DS, "ds:$name", $text), $attribute));
        $info = $add($signature, 'SignedInfo');
        $add($info, 'CanonicalizationMethod', '', Algorithm: self::EXC);
        $add($info, 'SignatureMethod', '', Algorithm: $method);
        foreach ($signed as $element) {
            $reference = $add($info, 'Reference', '', URI: '#' . $element->getAttributeNS(self::WSU, 'Id'));
            $add($add($reference, 'Transforms'), 'Transform', '', Algorithm: self::EXC);
            $add($reference, 'DigestMethod', '', Algorithm: $digestMethod);
            $value = hash($digest, $element->C14N(true), true);
            $add($reference, 'DigestValue', base64_encode($value));
        }
        if (!openssl_sign($info->C14N(true), $value, $this->key, $hash)) {
            throw new RuntimeException('cannot sign: ' . openssl_error_string());
        }
        if ($this->algorithm === 'ecdsa-sha256') {
            $value = self::fixedWidth($value); // OpenSSL gives DER; XML Signature wants r and s
        }
        $this->signatureValue = base64_encode($value);
        $add($signature, 'SignatureValue', "\n" . chunk_split($this->signatureValue, 76, "\n"));
        $str = $add($signature, 'KeyInfo')->appendChild(
            $document->createElementNS(self::WSSE, 'wsse:SecurityTokenReference'));
        $this->refer($document, $str, $token);
    }

    private function refer(DOMDocument $document, DOMElement $str, ?DOMElement $token): void
    {
        $der = base64_decode($this->certificate);
        if ($this->reference === 'token') {
            $str->appendChild(self::with($document->createElementNS(self::WSSE, 'wsse:Reference'), [
                'URI' => '#' . $token->getAttributeNS(self::WSU, 'Id'), 'ValueType' => self::X509 . 'X509v3']));
        } elseif ($this->reference === 'thumbprint') {
            $str->appendChild($this->typed($document, 'KeyIdentifier', self::THUMBPRINT, base64_encode(sha1($der, true))));
        } elseif ($this->reference === 'ski') {
            $hex = openssl_x509_parse($this->certificatePem)['extensions']['subjectKeyIdentifier'];
            $octets = hex2bin(str_replace(':', '', trim($hex)));
            $str->appendChild($this->typed($document, 'KeyIdentifier', self::X509 . 'X509SubjectKeyIdentifier', base64_encode($octets)));
        } else {
            $data = $str->appendChild($document->createElementNS(self::DS, 'ds:X509Data'));
            $data->appendChild($document->createElementNS(self::DS, 'ds:X509Certificate', $this->certificate));
        }
    }

    private function typed(DOMDocument $document, string $name, string $type, string $value): DOMElement
    {
        return self::with($document->createElementNS(self::WSSE, "wsse:$name", $value), [
            'ValueType' => $type, 'EncodingType' => self::MESSAGE . 'Base64Binary']);
    }

    private static function with(DOMElement $element, array $attributes): DOMElement
    {
        foreach ($attributes as $name => $value) {
            $element->setAttribute($name, $value);
        }
        return $element;
    }

    // -- answers -----------------------------------------------------------------------------------

    // Takes the value of a request that was signed before, so that its answer can be verified.
    public function sent(string $request): void
    {
        $document = new DOMDocument();
        $document->loadXML($request, LIBXML_NONET);
        $value = $document->getElementsByTagNameNS(self::DS, 'SignatureValue')->item(0)->textContent;
        $this->signatureValue = preg_replace('/\s/', '', $value);
    }

    // ['signature' => 'verified' | 'none' | why not, 'confirmed' => bool]; $receipts are the server's
    // receipt certificates, PEM.
    public function verify(string $answer, array $receipts): array
    {
        $document = new DOMDocument();
        if (!$document->loadXML($answer, LIBXML_NONET)) {
            return ['signature' => 'not XML', 'confirmed' => false];
        }
        $path = new DOMXPath($document);
        foreach (['ds' => self::DS, 'wsse' => self::WSSE, 'wsse11' => self::WSSE11, 'wsu' => self::WSU,
            's' => $document->documentElement->namespaceURI, 'ec' => self::EXC] as $prefix => $namespace) {
            $path->registerNamespace($prefix, $namespace);
        }
        $security = $path->query('/s:Envelope/s:Header/wsse:Security')->item(0);
        if ($security === null || $path->query('ds:Signature', $security)->length === 0) {
            return ['signature' => 'none', 'confirmed' => false];
        }
        $confirmation = $path->query('wsse11:SignatureConfirmation', $security)->item(0);
        $required = [$path->query('/s:Envelope/s:Body')->item(0), $path->query('wsu:Timestamp', $security)->item(0), $confirmation];
        $problem = $this->problem($path, $path->query('ds:Signature', $security)->item(0), $required, $receipts);
        return [
            'signature' => $problem ?? 'verified',
            'confirmed' => $problem === null && $confirmation->getAttribute('Value') === $this->signatureValue,
        ];
    }

    private function problem(DOMXPath $path, DOMElement $signature, array $required, array $receipts): ?string
    {
        $info = $path->query('ds:SignedInfo', $signature)->item(0);
        $value = base64_decode($path->evaluate('string(ds:SignatureValue)', $signature));
        $method = $path->evaluate('string(ds:SignatureMethod/@Algorithm)', $info);
        if ($method === self::ALGORITHMS['ecdsa-sha256'][0]) {
            $value = self::der($value);
        } elseif ($method !== self::ALGORITHMS['rsa-sha256'][0]) {
            return "unexpected algorithm $method";
        }
        $good = array_filter($receipts, fn ($pem) =>
            openssl_verify($info->C14N(true), $value, $pem, OPENSSL_ALGO_SHA256) === 1);
        if ($good === []) {
            return 'by none of the receipt certificates';
        }
        $signed = [];
        foreach ($path->query('ds:Reference', $info) as $reference) {
            $id = substr($reference->getAttribute('URI'), 1);
            $found = preg_match('/^[\w.-]+$/', $id) ? $path->query("//*[@wsu:Id='$id']") : null;
            if ($found === null || $found->length !== 1) {
                return "not exactly one element #$id";
            }
            $list = $path->evaluate('string(.//ec:InclusiveNamespaces/@PrefixList)', $reference);
            $octets = $found->item(0)->C14N(true, false, null, $list === '' ? null : explode(' ', $list));
            if (!hash_equals(base64_decode($path->evaluate('string(ds:DigestValue)', $reference)), hash('sha256', $octets, true))) {
                return "another digest of #$id";
            }
            $signed[] = $found->item(0);
        }
        foreach ($required as $element) {
            if ($element === null || !in_array($element, $signed, true)) {
                return 'does not cover all';
            }
        }
        return null;
    }

    // -- ECDSA: DER and the two numbers of fixed width, P-256 -----------------------------------------

    private static function fixedWidth(string $der): string
    {
        $first = ord($der[3]);
        $numbers = [substr($der, 4, $first), substr($der, 6 + $first)];
        return implode('', array_map(fn ($n) => str_pad(ltrim($n, "\0"), 32, "\0", STR_PAD_LEFT), $numbers));
    }

    private static function der(string $value): string
    {
        $numbers = '';
        foreach (str_split($value, 32) as $number) {
            $number = ltrim($number, "\0");
            $number = ord($number[0]) > 0x7f ? "\0$number" : $number;
            $numbers .= "\x02" . chr(strlen($number)) . $number;
        }
        return "\x30" . chr(strlen($numbers)) . $numbers;
    }
}
