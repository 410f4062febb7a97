#include "gateway/receipt.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gateway/https_client.h"
#include "gateway/receipt_file.h"
#include "xml/signed_envelope.h"

using namespace district;
using namespace district::gateway;
using namespace std::chrono_literals;

namespace {

constexpr const char* kContent = R"(<urb:AggregateMessageResponse xmlns:urb="http://urb-grade.eu">)"
                                 "<urb:messageCount>1</urb:messageCount>"
                                 "</urb:AggregateMessageResponse>";

// The demo's keys, made once for all cases.
struct Pki {
  Pki() {
    std::string name = (std::filesystem::temp_directory_path() / "district-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder = name;
    const std::string command =
        std::string(DISTRICT_SOURCE_DIR) + "/certs/make-demo-pki " + name + " >/dev/null";
    if (std::system(command.c_str()) != 0) std::abort();
  }
  ~Pki() { std::filesystem::remove_all(folder); }
  std::string file(const std::string& name) const { return (folder / name).string(); }
  std::filesystem::path folder;
};

Pki& pki() {
  static Pki made;
  return made;
}

struct Answer {
  std::string signer = "receipt-rsa";
  std::string content = kContent;
  std::vector<std::string> confirmations = {"c2lnbmF0dXJl"};
  Instant created = SystemClock().now();
};

std::string write(const Answer& answer) {
  auto certificate = crypto::Certificate::from_pem_file(pki().file(answer.signer + ".pem"));
  auto key = crypto::PrivateKey::from_pem_file(pki().file(answer.signer + ".key"));
  BOOST_REQUIRE(certificate && key);
  xml::EnvelopeToSign envelope;
  envelope.body_content = answer.content;
  envelope.created = answer.created;
  envelope.confirmations = answer.confirmations;
  auto text = xml::write_signed_envelope(envelope, *certificate, *key);
  BOOST_REQUIRE(text);
  return text->envelope;
}

Result<SignedAnswer> verify(const std::string& text, std::vector<std::string> named = {},
                            const std::string& host = "localhost") {
  for (std::string& name : named) name = pki().file(name);
  auto verifier = AnswerVerifier::create(named, pki().file("ca.pem"), host);
  BOOST_REQUIRE(verifier);
  return verifier->verify(text, "utf-8", "c2lnbmF0dXJl", SystemClock().now());
}

void replace(std::string& text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, what);
  text.replace(at, what.size(), with);
}

void check_refused(const std::string& text, const std::string& reason,
                   const std::vector<std::string>& named = {}) {
  const auto result = verify(text, named);
  BOOST_REQUIRE_MESSAGE(!result, "accepted, though: " + reason);
  BOOST_TEST((result.error().code == ErrorCode::gateway_receipt_invalid));
  BOOST_TEST(result.error().detail.find(reason) != std::string::npos, result.error().detail);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(answer_verifier)

BOOST_AUTO_TEST_CASE(a_signed_answer_is_proof_and_gives_its_body) {
  for (const char* signer : {"receipt-rsa", "receipt-ecdsa"}) {
    Answer answer;
    answer.signer = signer;
    const auto result = verify(write(answer));
    BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().detail));
    BOOST_TEST(result->body.children().front().name() == "AggregateMessageResponse");
  }
}

BOOST_AUTO_TEST_CASE(one_octet_changed_anywhere_in_the_body_is_noticed) {
  std::string text = write({});
  replace(text, "<urb:messageCount>1<", "<urb:messageCount>2<");
  const auto result = verify(text);
  BOOST_REQUIRE(!result);
  BOOST_TEST((result.error().code == ErrorCode::gateway_receipt_invalid));
}

BOOST_AUTO_TEST_CASE(a_second_body_beside_the_signed_one_is_refused) {
  std::string text = write({});
  replace(text, "<soap:Body", "<soap:Body>forged</soap:Body><soap:Body");
  check_refused(text, "not exactly one Body");
}

BOOST_AUTO_TEST_CASE(the_signed_body_moved_into_the_header_is_no_proof_for_another) {
  std::string text = write({});
  const auto begin = text.find("<soap:Body");
  const std::string end_tag = "</soap:Body>";
  const auto end = text.find(end_tag) + end_tag.size();
  const std::string body = text.substr(begin, end - begin);
  text.replace(begin, end - begin, "<soap:Body><forged/></soap:Body>");
  replace(text, "</soap:Header>", "<wrapper>" + body + "</wrapper></soap:Header>");
  check_refused(text, "does not cover Body");
}

BOOST_AUTO_TEST_CASE(the_confirmation_must_be_of_our_request) {
  Answer other;
  other.confirmations = {"YW5vdGhlcg=="};
  check_refused(write(other), "another request");
  Answer none;
  none.confirmations = {};
  check_refused(write(none), "not exactly one SignatureConfirmation");
  Answer two;
  two.confirmations = {"c2lnbmF0dXJl", "YW5vdGhlcg=="};
  check_refused(write(two), "not exactly one SignatureConfirmation");
}

BOOST_AUTO_TEST_CASE(an_answer_of_another_day_is_not_fresh) {
  Answer old;
  old.created = SystemClock().now() - 24h;
  check_refused(write(old), "not fresh");
  Answer early;
  early.created = SystemClock().now() + 24h;
  check_refused(write(early), "not fresh");
}

BOOST_AUTO_TEST_CASE(a_pilot_of_the_same_authority_cannot_sign_receipts) {
  Answer answer;
  answer.signer = "pilots/barcelona";
  check_refused(write(answer), "not trusted for localhost");
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_host_is_refused) {
  const auto result = verify(write({}), {}, "aggregation.example");
  BOOST_REQUIRE(!result);
  BOOST_TEST(result.error().detail.find("not trusted for aggregation.example") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(where_signers_are_named_no_other_is_trusted) {
  BOOST_TEST(verify(write({}), {"receipt-rsa.pem"}).has_value());
  BOOST_TEST(verify(write({}), {"receipt-ecdsa.pem", "receipt-rsa.pem"}).has_value());
  check_refused(write({}), "none of those named", {"receipt-ecdsa.pem"});
}

BOOST_AUTO_TEST_CASE(an_answer_without_a_signature_is_no_proof) {
  check_refused(xml::write_plain_envelope(SoapVersion::v11, kContent), "no proof");
  check_refused("not XML", "no proof");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(url)

BOOST_AUTO_TEST_CASE(a_url_has_host_port_and_path) {
  const auto plain = parse_url("https://aggregation.example");
  BOOST_REQUIRE(plain);
  BOOST_TEST(plain->host == "aggregation.example");
  BOOST_TEST(plain->port == "443");
  BOOST_TEST(plain->target == "/services/aggregation");
  const auto whole = parse_url("https://[::1]:8443/behind/a/proxy?x=1");
  BOOST_REQUIRE(whole);
  BOOST_TEST(whole->host == "::1");
  BOOST_TEST(whole->port == "8443");
  BOOST_TEST(whole->target == "/behind/a/proxy?x=1");
}

BOOST_AUTO_TEST_CASE(what_is_no_https_url_is_refused) {
  for (const char* text :
       {"http://localhost", "localhost:8443", "https://", "https://:8443", "https://h:0",
        "https://h:99999", "https://h:x", "https://[::1", "https://[::1]8443", "https://u@h/",
        "https://h/a b", "https://h/\r\nX: y", ""}) {
    BOOST_TEST(!parse_url(text), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(receipt_file)

BOOST_AUTO_TEST_CASE(a_line_has_what_proves_the_delivery) {
  DeliveredEnvelope envelope;
  envelope.file = "a.csv";
  envelope.receipt_id = "01JD0VZ9C4MRT8YB2J9X5Q6W3E";
  envelope.received_at = *parse_date_time("2026-11-20T10:15:00.123Z");
  envelope.message_count = 24;
  BOOST_TEST(to_json_line(envelope) ==
             R"({"file":"a.csv","receiptId":"01JD0VZ9C4MRT8YB2J9X5Q6W3E",)"
             R"("receivedAt":"2026-11-20T10:15:00.123000Z","messageCount":24,)"
             R"("payloadDigest":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","replayed":true})");
  envelope.log = DeliveredEnvelope::LogState{7, 8, {}};
  BOOST_TEST(to_json_line(envelope).ends_with(
      R"("leafIndex":7,"treeSize":8,"rootHash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",)"
      R"("replayed":false})"));
}

namespace {

constexpr const char* kFirstId = "01JD0VZ9C4MRT8YB2J9X5Q6W3E";
constexpr const char* kSecondId = "01JD0VZ9C4MRT8YB2J9X5Q6W3F";

struct Records {
  Records() {
    std::string name = (std::filesystem::temp_directory_path() / "district-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
  }
  ~Records() { std::filesystem::remove_all(folder); }
  std::string path(const std::string& name) const { return (folder / name).string(); }
  std::string text(const std::string& name) const {
    std::ifstream file(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
  }
  ReceiptFile open(const std::string& keep = {}) const {
    auto file = ReceiptFile::open(path("r.jsonl"), keep.empty() ? "" : path(keep));
    BOOST_REQUIRE_MESSAGE(file, (file ? "" : file.error().detail));
    return std::move(*file);
  }
  std::filesystem::path folder;
};

DeliveredEnvelope delivered(const char* id, char digest = 1) {
  DeliveredEnvelope envelope;
  envelope.file = "a.csv";
  envelope.receipt_id = id;
  envelope.message_count = 1;
  envelope.payload_digest.fill(static_cast<std::byte>(digest));
  return envelope;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_torn_line_is_moved_away_and_its_receipt_is_named) {
  const auto line = to_json_line(delivered(kFirstId));
  for (const std::size_t length :
       {std::size_t{1}, std::size_t{5}, std::size_t{60}, line.size() - 1}) {
    const Records records;
    records.write("r.jsonl", line + "\n" + line.substr(0, length));
    auto file = records.open();
    const bool has_id = length > line.find(kFirstId) + 26;
    BOOST_TEST(file.mended().find(has_id ? kFirstId : "not named in it") != std::string::npos,
               file.mended());
    BOOST_REQUIRE(file.append(delivered(kSecondId), "", ""));
    BOOST_TEST(records.text("r.jsonl") == line + "\n" + to_json_line(delivered(kSecondId)) + "\n");
    BOOST_TEST(records.text("r.jsonl.torn") == line.substr(0, length) + "\n");
  }
}

BOOST_AUTO_TEST_CASE(a_whole_line_without_its_end_gets_one) {
  const Records records;
  const auto line = to_json_line(delivered(kFirstId));
  records.write("r.jsonl", line);
  auto file = records.open();
  BOOST_TEST(file.mended().find(kFirstId) != std::string::npos);
  BOOST_TEST(records.text("r.jsonl") == line + "\n");
  BOOST_TEST(records.open().mended().empty());
}

BOOST_AUTO_TEST_CASE(zeros_at_the_end_of_a_file_are_a_torn_line) {
  const Records records;
  const auto line = to_json_line(delivered(kFirstId)) + "\n";
  records.write("r.jsonl", line + std::string(100, '\0'));
  BOOST_TEST(!records.open().mended().empty());
  BOOST_TEST(records.text("r.jsonl") == line);
}

BOOST_AUTO_TEST_CASE(a_file_of_something_else_is_left_as_it_is) {
  const Records records;
  for (const char* text : {"meter_id,energy\nM,1", "{}", "x", "{\"fila\": 1"}) {
    records.write("r.jsonl", text);
    const auto file = ReceiptFile::open(records.path("r.jsonl"), "");
    BOOST_REQUIRE(!file);
    BOOST_TEST((file.error().code == ErrorCode::gateway_input));
    BOOST_TEST(records.text("r.jsonl") == text);
  }
}

BOOST_AUTO_TEST_CASE(a_line_that_the_disk_does_not_take_leaves_no_half) {
  // A limit on the file's size stands for the full disk.
  const Records records;
  auto file = records.open();
  BOOST_REQUIRE(file.append(delivered(kFirstId), "", ""));
  const auto before = records.text("r.jsonl");
  struct rlimit limit {};
  BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const auto usual = limit.rlim_cur;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  limit.rlim_cur = before.size() + 20;
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const auto appended = file.append(delivered(kSecondId), "", "");
  limit.rlim_cur = usual;
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  std::signal(SIGXFSZ, handler);
  BOOST_REQUIRE(!appended);
  BOOST_TEST(appended.error().detail.find("could not be recorded") != std::string::npos);
  BOOST_TEST(appended.error().hint.find(kSecondId) != std::string::npos, appended.error().hint);
  BOOST_TEST(records.text("r.jsonl") == before);
  BOOST_REQUIRE(file.append(delivered(kSecondId), "", ""));
}

BOOST_AUTO_TEST_CASE(kept_octets_are_the_owners_and_nothing_else_stays) {
  const Records records;
  auto file = records.open("kept");
  BOOST_REQUIRE(file.append(delivered(kFirstId), "<request/>", "<answer/>"));
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(records.folder / "kept")) {
    ++count;
    BOOST_TEST((entry.status().permissions() == std::filesystem::perms(0600)));
  }
  BOOST_TEST(count == 2U);
  BOOST_TEST(records.text("kept/" + std::string(kFirstId) + ".request.xml") == "<request/>");
  BOOST_TEST(records.text("kept/" + std::string(kFirstId) + ".response.xml") == "<answer/>");
}

BOOST_AUTO_TEST_CASE(a_second_envelope_with_the_same_receipt_destroys_no_proof) {
  const Records records;
  const std::string id = kFirstId;
  {
    auto file = records.open("kept");
    BOOST_REQUIRE(file.append(delivered(kFirstId, 1), "<first/>", "<answer1/>"));
  }
  // In another run, as in the same.
  auto file = records.open("kept");
  for (int copy = 2; copy <= 3; ++copy) {
    const auto text = "<copy" + std::to_string(copy) + "/>";
    const auto again = file.append(delivered(kFirstId, static_cast<char>(copy)), text, text);
    BOOST_REQUIRE(!again);
    BOOST_TEST((again.error().code == ErrorCode::gateway_receipt_invalid));
    BOOST_TEST(again.error().detail.find(id) != std::string::npos);
    const auto stem = "kept/" + id + "-" + std::to_string(copy);
    BOOST_TEST(records.text(stem + ".request.xml") == text);
    BOOST_TEST(records.text(stem + ".response.xml") == text);
  }
  BOOST_TEST(records.text("kept/" + id + ".request.xml") == "<first/>");
  BOOST_TEST(records.text("kept/" + id + ".response.xml") == "<answer1/>");
  // The same envelope confirmed once more is no contradiction.
  auto fresh = records.open("kept");
  BOOST_TEST(fresh.append(delivered(kSecondId, 9), "<r/>", "<a/>").has_value());
  BOOST_TEST(fresh.append(delivered(kSecondId, 9), "<r/>", "<a/>").has_value());
}

BOOST_AUTO_TEST_CASE(without_kept_octets_the_lines_tell_of_one_id_for_two_envelopes) {
  const Records records;
  auto file = records.open();
  BOOST_REQUIRE(file.append(delivered(kFirstId, 1), "", ""));
  BOOST_REQUIRE(file.append(delivered(kFirstId, 1), "", ""));
  BOOST_TEST(!file.append(delivered(kFirstId, 2), "", "").has_value());
  BOOST_TEST(std::ranges::count(records.text("r.jsonl"), '\n') == 3);
}

BOOST_AUTO_TEST_CASE(only_a_ulid_becomes_the_name_of_a_file) {
  const Records records;
  auto file = records.open("kept");
  for (const char* id : {"../escaped/x", "", ".", "/etc/passwd", "01JD0VZ9C4MRT8YB2J9X5Q6W3",
                         "01jd0vz9c4mrt8yb2j9x5q6w3e", "01JD0VZ9C4MRT8YB2J9X5Q6W3E/",
                         "81JD0VZ9C4MRT8YB2J9X5Q6W3E", "../JD0VZ9C4MRT8YB2J9X5Q6W3"}) {
    const auto appended = file.append(delivered(id), "<r/>", "<a/>");
    BOOST_REQUIRE_MESSAGE(!appended, id);
    BOOST_TEST((appended.error().code == ErrorCode::gateway_receipt_invalid));
  }
  BOOST_TEST(std::filesystem::is_empty(records.folder / "kept"));
  BOOST_TEST(records.text("r.jsonl").empty());
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_said_before_anything_is_sent) {
  const auto file = ReceiptFile::open("/nonexistent/receipts.jsonl", "");
  BOOST_REQUIRE(!file);
  BOOST_TEST(file.error().detail.find("/nonexistent/receipts.jsonl") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
