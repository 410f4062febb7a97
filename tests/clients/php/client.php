<?php
// Sends energy measurements with PHP's SoapClient, signed by WsSecurity.php, and verifies what is answered.

require __DIR__ . '/WsSecurity.php';

final class SignedSoapClient extends SoapClient
{
    public string $request = '';
    public string $answer = '';
    public array $verdict = [];
    public WsSecurity $security;
    public array $receipts = [];
    public ?string $resend = null; // octets that were signed and sent before

    public function __doRequest($request, $location, $action, $version, $oneWay = false): ?string
    {
        if ($this->resend !== null) {
            $this->request = $this->resend;
            $this->security->sent($this->request);
        } else {
            $this->request = $this->security->sign($request);
        }
        $this->answer = parent::__doRequest($this->request, $location, $action, $version, $oneWay) ?? '';
        $this->verdict = $this->security->verify($this->answer, $this->receipts);
        return $this->answer;
    }
}

function argumentsFrom(string $file): array
{
    $given = json_decode(file_get_contents($file), true);
    $messages = [];
    foreach ($given['messages'] as $entry) {
        // gcontent is xs:any, which SoapClient takes as text.
        $any = '';
        foreach ($entry['content'] as [$name, $text]) {
            $any .= "<$name>" . htmlspecialchars($text, ENT_XML1) . "</$name>";
        }
        $source = ['messageSourceElement' => $entry['source']];
        if ($entry['position']) {
            [$x, $y] = $entry['position'];
            $source['messagePosition'] = ['messagePositionX' => $x, 'messagePositionY' => $y];
        }
        $messages[] = [
            'head' => [
                'timestamp' => $entry['timestamp'],
                'messageType' => ['type' => $entry['type'], 'version' => $entry['version']],
                'messageSource' => $source,
            ],
            'content' => ['gcontent' => ['any' => $any]],
        ];
    }
    return ['messages' => ['message' => $messages], 'tenantCode' => $given['tenantCode']];
}

[, $url, $ca, $receiptFile] = $argv;
preg_match_all('/-----BEGIN.+?-----END CERTIFICATE-----\n/s', file_get_contents($receiptFile), $receipts);
$client = new SignedSoapClient("$url?wsdl", [
    'cache_wsdl' => WSDL_CACHE_NONE,
    'stream_context' => stream_context_create(['ssl' => ['cafile' => $ca]]),
    'connection_timeout' => 30,
]);
$client->receipts = $receipts[0];

while (($line = fgets(STDIN)) !== false) {
    parse_str(strtr(trim($line), ' ', '&'), $exchange);
    $client->security = new WsSecurity(
        file_get_contents($exchange['certificate']),
        openssl_pkey_get_private(file_get_contents($exchange['key'])),
        $exchange['algorithm'],
        $exchange['reference'],
    );
    $client->resend = isset($exchange['resend']) ? file_get_contents("{$exchange['resend']}-request.xml") : null;
    $result = [];
    try {
        $receipt = $client->AggregateMessage(argumentsFrom($exchange['request']));
        if ($client->verdict['signature'] === 'verified' && $client->verdict['confirmed']) {
            $result['receiptId'] = $receipt->receiptId;
        }
    } catch (SoapFault $fault) {
        $result['fault'] = preg_replace('/.*:/', '', $fault->faultcode);
        $result['text'] = $fault->getMessage();
    }
    file_put_contents("{$exchange['record']}-request.xml", $client->request);
    file_put_contents("{$exchange['record']}-answer.xml", $client->answer);
    echo json_encode($result + $client->verdict), "\n";
}
