// Sends energy measurements signed with WSS4J, in the way of Axis2 and Rampart: WS-Addressing headers,
// a chunked body, BinarySecurityToken, Signature and Timestamp in this order. Verifies what is answered.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.UUID;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.ws.security.WSConstants;
import org.apache.ws.security.WSDataRef;
import org.apache.ws.security.WSEncryptionPart;
import org.apache.ws.security.WSSecurityEngine;
import org.apache.ws.security.WSSecurityEngineResult;
import org.apache.ws.security.WSSecurityException;
import org.apache.ws.security.components.crypto.Crypto;
import org.apache.ws.security.components.crypto.Merlin;
import org.apache.ws.security.message.WSSecHeader;
import org.apache.ws.security.message.WSSecSignature;
import org.apache.ws.security.message.WSSecTimestamp;
import org.apache.ws.security.message.token.SignatureConfirmation;
import org.apache.ws.security.util.WSSecurityUtil;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

public final class Client {
  private static final String SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
  private static final String WSA = "http://www.w3.org/2005/08/addressing";
  private static final String ACTION = "http://urb-grade.eu/AggregateMessage";
  private static final String MORE = "http://www.w3.org/2001/04/xmldsig-more#";
  private static final String PASSWORD = "in memory only";

  private static final Map<String, Integer> REFERENCES = Map.of(
      "token", WSConstants.BST_DIRECT_REFERENCE,
      "pki-path", WSConstants.BST_DIRECT_REFERENCE,
      "issuer-serial", WSConstants.ISSUER_SERIAL,
      "key-identifier", WSConstants.X509_KEY_IDENTIFIER,
      "ski", WSConstants.SKI_KEY_IDENTIFIER,
      "thumbprint", WSConstants.THUMBPRINT_IDENTIFIER);

  private final String url;
  private final SSLContext tls;
  private final Crypto receipts; // trusts the server's receipt certificates and no others

  private Client(String url, Path ca, Path receiptCertificates) throws Exception {
    this.url = url;
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(keyStoreOf(certificates(ca)));
    tls = SSLContext.getInstance("TLS");
    tls.init(null, trust.getTrustManagers(), null);
    Merlin merlin = new Merlin();
    merlin.setTrustStore(keyStoreOf(certificates(receiptCertificates)));
    receipts = merlin;
  }

  // -- signing ------------------------------------------------------------------------------------

  private byte[] sign(Document envelope, Map<String, String> exchange) throws Exception {
    Merlin gateway = new Merlin();
    gateway.setKeyStore(keyStoreOf(certificates(Path.of(exchange.get("certificate"))),
        privateKey(Path.of(exchange.get("key")))));

    WSSecHeader header = new WSSecHeader(); // mustUnderstand is its default
    header.insertSecurityHeader(envelope);
    WSSecTimestamp timestamp = new WSSecTimestamp();
    timestamp.setTimeToLive(300);
    timestamp.build(envelope, header);

    WSSecSignature signature = new WSSecSignature();
    signature.setUserInfo("1", PASSWORD);
    signature.setKeyIdentifierType(REFERENCES.get(exchange.get("reference")));
    signature.setUseSingleCertificate(!exchange.get("reference").equals("pki-path"));
    // WSS4J 1.6 takes rsa-sha1 and sha1 where nothing is said: name both.
    String algorithm = exchange.get("algorithm");
    if (!algorithm.equals("rsa-sha1")) {
      signature.setSignatureAlgorithm(MORE + algorithm);
      signature.setDigestAlgo("http://www.w3.org/2001/04/xmlenc#sha256");
    }
    List<WSEncryptionPart> parts = new ArrayList<>();
    parts.add(new WSEncryptionPart("Timestamp", WSConstants.WSU_NS, ""));
    parts.add(new WSEncryptionPart("Body", SOAP, ""));
    for (String name : List.of("Action", "MessageID", "To", "ReplyTo")) {
      parts.add(new WSEncryptionPart(name, WSA, ""));
    }
    if ("yes".equals(exchange.get("sign-token"))) {
      parts.add(new WSEncryptionPart("STRTransform", "", "Element"));
    }
    signature.setParts(parts);
    signature.build(envelope, gateway, header);
    return octets(envelope);
  }

  private Document envelope(Path request) throws Exception {
    Document document = builder().newDocument();
    Element envelope = document.createElementNS(SOAP, "soapenv:Envelope");
    document.appendChild(envelope);
    Element header = document.createElementNS(SOAP, "soapenv:Header");
    envelope.appendChild(header);
    header.appendChild(addressing(document, "To", url));
    Element replyTo = addressing(document, "ReplyTo", null);
    replyTo.appendChild(addressing(document, "Address", WSA + "/anonymous"));
    header.appendChild(replyTo);
    header.appendChild(addressing(document, "MessageID", "urn:uuid:" + UUID.randomUUID()));
    header.appendChild(addressing(document, "Action", ACTION));
    Element body = document.createElementNS(SOAP, "soapenv:Body");
    envelope.appendChild(body);
    Document content = builder().parse(request.toFile());
    body.appendChild(document.importNode(content.getDocumentElement(), true));
    // Canonicalisation sees only declarations that are nodes of the tree; a tree made by hand has none.
    return parse(octets(document));
  }

  private Element addressing(Document document, String name, String text) {
    Element element = document.createElementNS(WSA, "wsa:" + name);
    if (text != null) {
      element.setTextContent(text);
    }
    if (!name.equals("Address")) {
      element.setAttributeNS(SOAP, "soapenv:mustUnderstand", "1");
    }
    return element;
  }

  // -- the answer ---------------------------------------------------------------------------------

  private void verify(Document answer, String sentValue, Map<String, Object> result) throws Exception {
    result.put("confirmed", false);
    List<WSSecurityEngineResult> found;
    try {
      found = new WSSecurityEngine().processSecurityHeader(answer, null, null, receipts);
    } catch (WSSecurityException refused) {
      result.put("signature", "does not verify: " + refused.getMessage());
      return;
    }
    if (found == null) {
      result.put("signature", "none");
      return;
    }
    // WSS4J says which elements a signature covers; that they are the right ones is for us to see.
    List<Element> signed = new ArrayList<>();
    Element confirmation = null;
    for (WSSecurityEngineResult part : found) {
      Object references = part.get(WSSecurityEngineResult.TAG_DATA_REF_URIS);
      if (references != null) {
        ((List<?>) references).forEach(reference -> signed.add(((WSDataRef) reference).getProtectedElement()));
      }
      Object confirms = part.get(WSSecurityEngineResult.TAG_SIGNATURE_CONFIRMATION);
      if (confirms != null) {
        confirmation = ((SignatureConfirmation) confirms).getElement();
        byte[] value = ((SignatureConfirmation) confirms).getSignatureValue();
        result.put("confirmed", Arrays.equals(value, Base64.getMimeDecoder().decode(sentValue)));
      }
    }
    Element envelope = answer.getDocumentElement();
    Element body = WSSecurityUtil.getDirectChildElement(envelope, "Body", SOAP);
    Element security = WSSecurityUtil.getSecurityHeader(answer, null);
    Element timestamp = WSSecurityUtil.getDirectChildElement(security, "Timestamp", WSConstants.WSU_NS);
    boolean all = signed.contains(body) && signed.contains(timestamp) && signed.contains(confirmation);
    result.put("signature", all ? "verified" : "does not cover all");
  }

  private Map<String, Object> send(Map<String, String> exchange) throws Exception {
    byte[] request;
    if (exchange.containsKey("resend")) {
      request = Files.readAllBytes(Path.of(exchange.get("resend") + "-request.xml"));
    } else {
      String file = exchange.get("request").replaceAll("json$", "xml");
      request = sign(envelope(Path.of(file)), exchange);
    }
    Files.write(Path.of(exchange.get("record") + "-request.xml"), request);
    byte[] octets = post(request);
    Files.write(Path.of(exchange.get("record") + "-answer.xml"), octets);

    Document answer = parse(octets);
    Map<String, Object> result = new HashMap<>();
    verify(answer, text(parse(request).getDocumentElement(), "SignatureValue"), result);
    Element envelope = answer.getDocumentElement();
    if (text(envelope, "faultcode") != null) {
      result.put("fault", text(envelope, "faultcode").replaceAll(".*:", ""));
      result.put("text", text(envelope, "faultstring"));
    } else if (result.get("signature").equals("verified") && result.get("confirmed").equals(true)) {
      Element body = WSSecurityUtil.getDirectChildElement(envelope, "Body", SOAP);
      result.put("receiptId", text(body, "receiptId"));
    }
    return result;
  }

  private byte[] post(byte[] request) throws IOException {
    HttpsURLConnection connection = (HttpsURLConnection) new URL(url).openConnection();
    connection.setSSLSocketFactory(tls.getSocketFactory());
    connection.setDoOutput(true);
    connection.setChunkedStreamingMode(0); // as Axis2 does by default
    connection.setReadTimeout(30_000);
    connection.setRequestProperty("Content-Type", "text/xml; charset=UTF-8");
    connection.setRequestProperty("SOAPAction", '"' + ACTION + '"');
    try (OutputStream out = connection.getOutputStream()) {
      out.write(request);
    }
    // A fault comes with status 500, whose content Java has in the error stream.
    try (InputStream in = connection.getResponseCode() < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      return in.readAllBytes();
    }
  }

  // -- XML, keys and the rest ---------------------------------------------------------------------

  private static DocumentBuilder builder() throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
    return factory.newDocumentBuilder();
  }

  private static Document parse(byte[] octets) throws Exception {
    return builder().parse(new ByteArrayInputStream(octets));
  }

  private static String text(Element inside, String name) {
    NodeList found = inside.getElementsByTagNameNS("*", name);
    return found.getLength() > 0 ? found.item(0).getTextContent() : null;
  }

  private static byte[] octets(Document document) throws Exception {
    Transformer plain = TransformerFactory.newInstance().newTransformer(); // no indentation after signing
    plain.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    plain.transform(new DOMSource(document), new StreamResult(out));
    return out.toByteArray();
  }

  private static List<Certificate> certificates(Path pem) throws Exception {
    try (InputStream in = Files.newInputStream(pem)) {
      return new ArrayList<>(CertificateFactory.getInstance("X.509").generateCertificates(in));
    }
  }

  private static PrivateKey privateKey(Path pem) throws Exception {
    String text = Files.readString(pem).replaceAll("-----[A-Z ]+-----", "");
    PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(text));
    try {
      return KeyFactory.getInstance("RSA").generatePrivate(spec);
    } catch (java.security.spec.InvalidKeySpecException notRsa) {
      return KeyFactory.getInstance("EC").generatePrivate(spec);
    }
  }

  private static KeyStore keyStoreOf(List<Certificate> certificates, PrivateKey... key) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    for (int i = 0; i < certificates.size(); i++) {
      if (key.length > 0) {
        store.setKeyEntry("1", key[0], PASSWORD.toCharArray(), certificates.toArray(new Certificate[0]));
      } else {
        store.setCertificateEntry("trusted-" + i, certificates.get(i));
      }
    }
    return store;
  }

  private static String json(Map<String, Object> result) {
    List<String> members = new ArrayList<>();
    result.forEach((name, value) -> members.add('"' + name + "\": " + (value instanceof String
        ? '"' + ((String) value).replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ") + '"' : value)));
    return "{" + String.join(", ", members) + "}";
  }

  public static void main(String[] arguments) throws Exception {
    Client client = new Client(arguments[0], Path.of(arguments[1]), Path.of(arguments[2]));
    Scanner lines = new Scanner(System.in, StandardCharsets.UTF_8);
    while (lines.hasNextLine()) {
      Map<String, String> exchange = new HashMap<>();
      for (String word : lines.nextLine().split(" ")) {
        exchange.put(word.split("=", 2)[0], word.split("=", 2)[1]);
      }
      System.out.println(json(client.send(exchange)));
    }
  }
}
